using Conformance.Tests;
using Microsoft.Playwright;
using Tests.Shared;

namespace Browser.Tests;

/// <summary>The pages of accounts as people use them: with the keyboard, with a passkey, and without one complaint of the browser about their policy.</summary>
public sealed class AccountPagesTests(Chromium chromium) : IAsyncLifetime
{
    private const string UserName = "admin.one";
    private const string Password = "three blue umbrellas";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fhir-browser-");
    private readonly List<string> _complaints = [];
    private RunningServer? _server;
    private string _pages = "";

    public async ValueTask InitializeAsync()
    {
        // A passkey belongs to a name: an address of digits has none.
        var port = FreePort.Draw();
        _pages = $"http://localhost:{port}/auth";
        _server = await RunningServer.StartAsync(
            Path.Combine(_folder.FullName, "data"), [],
            [
                new("Server:BaseUrl", $"http://localhost:{port}/fhir"),
                new("Auth:Accounts:FirstAdministrator:UserName", UserName),
                new("Auth:Accounts:FirstAdministrator:Password", Password),
            ],
            CancellationToken.None,
            port);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task SignIn_WithTheKeyboardAlone_ThenEveryPage()
    {
        await using var browser = await chromium.OpenAsync("ru-RU");
        var page = await OpenAsync(browser, "sign-in");
        Assert.Equal("Вход", await page.Locator("h1").TextContentAsync());
        await page.Locator("#username").FocusAsync();
        await page.Keyboard.TypeAsync(UserName);
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync("not the password");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("[role=alert]").WaitForAsync();
        await page.Locator("#password").FocusAsync();
        await page.Keyboard.TypeAsync(Password);
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync($"{_pages}/account");

        foreach (var one in new[] { "account/password", "account/totp", "account/passkeys", "account/sessions", "account/erase", "account/link", "links", "invitations", "accounts" })
        {
            var answer = await page.GotoAsync($"{_pages}/{one}");
            Assert.Equal(200, answer!.Status);
        }
        await page.Locator("header button").ClickAsync();
        await page.WaitForURLAsync($"{_pages}/sign-in");
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task TotpPicture_IsShown()
    {
        await using var browser = await chromium.OpenAsync();
        var page = await OpenAsync(browser, "sign-in");
        await SignInAsync(page);
        await page.GotoAsync($"{_pages}/account/totp");
        await page.Locator("#password").FillAsync(Password);
        await page.Locator("main button").ClickAsync();
        await page.Locator("img.qr").WaitForAsync();

        Assert.True(await page.Locator("img.qr").EvaluateAsync<bool>("image => image.complete && image.naturalWidth > 0"));
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task Passkey_IsMade_AndSignsIn()
    {
        await using var browser = await chromium.OpenAsync();
        var page = await OpenAsync(browser, "sign-in");
        await using var devices = new Devices(await browser.NewCDPSessionAsync(page));
        await devices.AddAuthenticatorAsync();
        await SignInAsync(page);
        await page.GotoAsync($"{_pages}/account/passkeys");
        await page.Locator("#password").FillAsync(Password);
        await page.Locator("main button").ClickAsync();
        await page.Locator("#name").FillAsync("this laptop");
        await page.Locator("form[data-passkey] button").ClickAsync();
        await page.GetByText("this laptop").WaitForAsync();
        await page.Locator("header button").ClickAsync();
        await page.WaitForURLAsync($"{_pages}/sign-in");

        await page.Locator("form[action$='sign-in/passkey'] button").ClickAsync();
        await page.Locator("form[data-passkey] button").ClickAsync();
        await page.WaitForURLAsync($"{_pages}/account");
        Assert.Empty(_complaints);
    }

    private async Task<IPage> OpenAsync(IBrowserContext browser, string path)
    {
        var page = await browser.NewPageAsync();
        page.PageError += (_, error) => _complaints.Add(error);
        page.Console += (_, message) =>
        {
            // A refused password is a 422, which the console tells; what breaks the policy is told as an error of its own.
            if (message.Type is "error" or "warning" && !message.Text.Contains("422", StringComparison.Ordinal))
            {
                _complaints.Add(message.Text);
            }
        };
        await page.GotoAsync($"{_pages}/{path}");
        return page;
    }

    private async Task SignInAsync(IPage page)
    {
        await page.Locator("#username").FillAsync(UserName);
        await page.Locator("#password").FillAsync(Password);
        await page.Locator("form[action$='/sign-in'] button").ClickAsync();
        await page.WaitForURLAsync($"{_pages}/account");
    }

    /// <summary>An authenticator that the browser pretends to have, and that says yes: https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/.</summary>
    private sealed class Devices(ICDPSession session) : IAsyncDisposable
    {
        public async Task AddAuthenticatorAsync()
        {
            await session.SendAsync("WebAuthn.enable");
            await session.SendAsync("WebAuthn.addVirtualAuthenticator", new()
            {
                ["options"] = new Dictionary<string, object>
                {
                    ["protocol"] = "ctap2",
                    ["transport"] = "internal",
                    ["hasResidentKey"] = true,
                    ["hasUserVerification"] = true,
                    ["isUserVerified"] = true,
                    ["automaticPresenceSimulation"] = true,
                },
            });
        }

        public async ValueTask DisposeAsync() => await session.DetachAsync();
    }
}
