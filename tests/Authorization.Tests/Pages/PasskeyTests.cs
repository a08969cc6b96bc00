using System.Text;
using Authorization.Accounts;
using FhirCore.Records;
using Microsoft.Extensions.DependencyInjection;

namespace Authorization.Tests.Pages;

public sealed class PasskeyTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private readonly Authenticator _authenticator = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(_database);

    public async ValueTask DisposeAsync()
    {
        _authenticator.Dispose();
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Passkey_SignsIn_WithoutPassword_AndCountsAsTwoFactors()
    {
        var id = await _server.AddAsync();
        await AddPasskeyAsync();
        using var browser = new Browser(_server);
        await AskAsync(browser, "/auth/account/sessions");
        _authenticator.SignCount++;
        await AnswerAsync(browser);

        Assert.Equal("/auth/account/sessions", browser.Location);
        var sessions = await _server.Services.GetRequiredService<Sessions>().ListAsync(id, default);
        Assert.Contains(sessions, session => session.Value.Methods.SequenceEqual(["hwk", "user", "mfa"]));
    }

    [Theory]
    [InlineData("another site")]
    [InlineData("another domain")]
    [InlineData("no finger")]
    [InlineData("a copy")]
    [InlineData("someone else's key")]
    [InlineData("someone else's name")]
    [InlineData("nonsense")]
    [InlineData("disabled")]
    public async Task WrongAnswer_IsRefused(string how)
    {
        var id = await _server.AddAsync();
        var other = await _server.AddAsync("berta@example.org");
        await AddPasskeyAsync();
        using var browser = new Browser(_server);
        await AskAsync(browser);
        _authenticator.SignCount++;
        using var stranger = new Authenticator { UserHandle = _authenticator.UserHandle };
        string? answer = null;
        switch (how)
        {
            case "another site":
                _authenticator.Origin = "https://clinic.example.evil";
                break;
            case "another domain":
                _authenticator.Domain = "evil.example";
                break;
            case "no finger":
                _authenticator.VerifiesUser = false;
                break;
            case "a copy":
                _authenticator.SignCount = 1;
                break;
            case "someone else's key":
                answer = stranger.Get(Options(browser));
                break;
            case "someone else's name":
                _authenticator.UserHandle = System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(other));
                break;
            case "nonsense":
                answer = "{\"id\":1";
                break;
            default:
                await _server.Services.GetRequiredService<AccountDirectory>().ChangeAsync(id, account => (account.Status = AccountStatus.Disabled) == AccountStatus.Disabled, default);
                break;
        }
        await AnswerAsync(browser, answer);

        Assert.Equal(422, browser.Status);
        Assert.False(browser.Cookies.ContainsKey("__Host-session"));
    }

    [Fact]
    public async Task Answer_WorksOnce_AndForItsOwnChallengeOnly()
    {
        await _server.AddAsync();
        await AddPasskeyAsync();
        using var browser = new Browser(_server);
        await AskAsync(browser);
        _authenticator.SignCount++;
        var answer = _authenticator.Get(Options(browser));
        var (path, form) = browser.FormOf("sign-in/passkey/answer");
        form["credential"] = answer;
        await browser.PostAsync(path, form);
        Assert.Equal("/auth/account", browser.Location);

        using var replay = new Browser(_server);
        await AskAsync(replay);
        await AnswerAsync(replay, answer);
        Assert.Equal(422, replay.Status);

        using var late = new Browser(_server);
        await AskAsync(late);
        _authenticator.SignCount++;
        _database.Clock.Advance(Flows.SignInLifetime);
        await AnswerAsync(late);
        Assert.Equal(422, late.Status);
    }

    [Fact]
    public async Task AddingOne_NeedsThePassword_RemovingEndsIt()
    {
        await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password, "/auth/account/passkeys");
        await browser.SubmitAsync("account/passkeys", ("password", "not the password"));
        Assert.Equal(422, browser.Status);
        await browser.PostAsync("/auth/account/passkeys/add", new() { ["form_token"] = browser.FormOf("sign-out").Values["form_token"], ["credential"] = "{}" });
        Assert.Equal(422, browser.Status);

        await AddPasskeyAsync(browser);
        Assert.Contains("my phone", browser.Text, StringComparison.Ordinal);
        await browser.SubmitAsync("account/passkeys/remove");
        Assert.DoesNotContain("my phone", browser.Text, StringComparison.Ordinal);

        using var later = new Browser(_server);
        await AskAsync(later);
        _authenticator.SignCount++;
        await AnswerAsync(later);
        Assert.Equal(422, later.Status);
    }

    [Fact]
    public async Task Challenge_TellsNothingOfAnyone_AndTheStoreHoldsNoneInClear()
    {
        await _server.AddAsync();
        await AddPasskeyAsync();
        using var browser = new Browser(_server);
        await AskAsync(browser);
        using var options = System.Text.Json.JsonDocument.Parse(Options(browser));
        Assert.True(!options.RootElement.TryGetProperty("allowCredentials", out var allowed) || allowed.GetArrayLength() == 0);
        Assert.Equal("required", options.RootElement.GetProperty("userVerification").GetString());
        Assert.Equal("clinic.example", options.RootElement.GetProperty("rpId").GetString());

        var challenge = options.RootElement.GetProperty("challenge").GetString()!;
        var record = Assert.Single((await _database.Store.QueryAsync(new(FlowIndex.RecordType, Predicate.Everything, RecordOrder.ById, null, 10), default)).Records);
        Assert.True(record.Body.Span.IndexOf(Encoding.UTF8.GetBytes(challenge)) < 0);
    }

    [Fact]
    public async Task Script_IsServedAsSuch()
    {
        using var answer = await _server.Http.GetAsync("/auth/assets/passkeys.js");
        Assert.Equal("text/javascript", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
    }

    private static string Options(Browser browser) => browser.Page.QuerySelector("form[data-passkey]")!.GetAttribute("data-options")!;

    private static async Task AskAsync(Browser browser, string? returnTo = null)
    {
        await browser.GoAsync("/auth/sign-in" + (returnTo is null ? "" : "?return=" + Uri.EscapeDataString(returnTo)));
        await browser.SubmitAsync("sign-in/passkey");
    }

    private Task<Browser> AnswerAsync(Browser browser, string? answer = null) =>
        browser.SubmitAsync("sign-in/passkey/answer", ("credential", answer ?? _authenticator.Get(Options(browser))));

    private async Task AddPasskeyAsync()
    {
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);
        await AddPasskeyAsync(browser);
    }

    private async Task AddPasskeyAsync(Browser browser)
    {
        await browser.GoAsync("/auth/account/passkeys");
        await browser.SubmitAsync("account/passkeys", ("password", People.Password));
        await browser.SubmitAsync("account/passkeys/add", ("name", "my phone"), ("credential", _authenticator.Create(Options(browser))));
        Assert.Equal(200, browser.Status);
    }
}
