using System.Text;
using Authorization.Access;
using Authorization.Accounts;
using Authorization.Stores;
using Authorization.Tests.Launch;
using FhirCore.Records;
using Microsoft.Extensions.DependencyInjection;
using OpenIddict.Abstractions;
using OpenIddict.Core;
using OtpNet;

namespace Authorization.Tests.Pages;

public sealed class OwnAccountTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(_database);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData("en")]
    [InlineData("ru")]
    public async Task EveryPage_IsShownInBothLanguages(string language)
    {
        await _server.AddAsync(roles: [Role.Administrator, Role.Receptionist]);
        using var browser = new Browser(_server, language);
        await browser.GoAsync($"/auth/sign-in?ui_locales={language}");
        await browser.SignInAsync(People.Anna, People.Password);
        var titles = new List<string>();
        foreach (var page in new[]
        {
            "account", "account/password", "account/sessions", "account/totp", "account/erase", "account/link", "account/passkeys", "links", "invitations", "accounts", "sign-in", "sign-out", "code", "invitation", "erased", "register", "reset", "account/outside", "accounts/waiting", "app-requests",
        })
        {
            await browser.GoAsync($"/auth/{page}");
            Assert.Equal(language, browser.Page.DocumentElement.GetAttribute("lang")); // what holds for every page is checked by the browser
            titles.Add(browser.Title);
        }
        Assert.Equal(language == "ru", titles.All(title => title.Any(c => c is >= 'а' and <= 'я')));
    }

    [Fact]
    public async Task Pages_AskForSignIn_AndComeBack()
    {
        await _server.AddAsync();
        foreach (var page in new[] { "account", "account/password", "account/sessions", "account/totp", "account/erase", "account/link", "links", "invitations" })
        {
            using var browser = new Browser(_server);
            await browser.GoAsync($"/auth/{page}?x=1");
            Assert.Equal($"/auth/sign-in?return={Uri.EscapeDataString($"/auth/{page}?x=1")}", browser.Location);
        }
        using var one = new Browser(_server);
        await one.GoAsync("/auth/account/sessions");
        await one.SubmitAsync("sign-in", ("username", People.Anna), ("password", People.Password));
        Assert.Equal("/auth/account/sessions", one.Location);
    }

    [Fact]
    public async Task Totp_IsAskedForAtSignIn_AndNoCodeIsTakenTwice()
    {
        await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password, "/auth/account/totp");
        await browser.SubmitAsync("account/totp/begin", ("password", "not the password"));
        Assert.Equal(422, browser.Status);
        await browser.SubmitAsync("account/totp/begin", ("password", People.Password));
        var totp = Read(browser);
        await browser.SubmitAsync("account/totp", ("code", Other(totp.ComputeTotp(Now))));
        Assert.Equal(422, browser.Status);
        await browser.SubmitAsync("account/totp", ("code", totp.ComputeTotp(Now)));
        var recovery = browser.Page.QuerySelectorAll(".codes li").Select(item => item.TextContent).ToArray();
        Assert.Equal(10, recovery.Distinct().Count());

        using var later = new Browser(_server);
        await later.SignInAsync(People.Anna, People.Password, "/auth/account/sessions");
        Assert.Equal("/auth/sign-in/code", later.Location);
        Assert.False(later.Cookies.ContainsKey("__Host-session"));
        await later.SubmitAsync("sign-in/code", ("code", totp.ComputeTotp(Now))); // the one that confirmed the set-up
        Assert.Equal(422, later.Status);
        _database.Clock.Advance(TimeSpan.FromSeconds(30));
        var code = totp.ComputeTotp(Now);
        await later.SubmitAsync("sign-in/code", ("code", code.Insert(3, " ")));
        Assert.Equal("/auth/account/sessions", later.Location);

        using var replay = new Browser(_server);
        await replay.SignInAsync(People.Anna, People.Password);
        await replay.SubmitAsync("sign-in/code", ("code", code));
        Assert.Equal(422, replay.Status);
        await replay.SubmitAsync("sign-in/code", ("code", recovery[3].ToUpperInvariant()));
        Assert.Equal("/auth/account", replay.Location);

        using var again = new Browser(_server);
        await again.SignInAsync(People.Anna, People.Password);
        await again.SubmitAsync("sign-in/code", ("code", recovery[3]));
        Assert.Equal(422, again.Status);
    }

    [Fact]
    public async Task SecondFactor_LocksAfterFiveGuesses_AndEndsInTime()
    {
        var id = await _server.AddAsync();
        var secret = await EnableTotpAsync(id);
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);
        for (var i = 0; i < 5; i++)
        {
            await browser.SubmitAsync("sign-in/code", ("code", "abcde-fghjk"));
            Assert.Equal(422, browser.Status);
        }
        await browser.SubmitAsync("sign-in/code", ("code", new Totp(secret).ComputeTotp(Now)));
        Assert.Equal(422, browser.Status);
        _database.Clock.Advance(TimeSpan.FromSeconds(61));
        await browser.SubmitAsync("sign-in/code", ("code", new Totp(secret).ComputeTotp(Now)));
        Assert.Equal("/auth/account", browser.Location);

        using var late = new Browser(_server);
        await late.SignInAsync(People.Anna, People.Password);
        _database.Clock.Advance(Flows.SignInLifetime);
        await late.SubmitAsync("sign-in/code", ("code", new Totp(secret).ComputeTotp(Now)));
        Assert.Equal(410, late.Status);
    }

    [Fact]
    public async Task OneCode_UsedByManyAtOnce_WorksOnce()
    {
        var id = await _server.AddAsync();
        var secret = await EnableTotpAsync(id);
        _database.Clock.Advance(TimeSpan.FromSeconds(30));
        var code = new Totp(secret).ComputeTotp(Now);
        var factor = _server.Services.GetRequiredService<SecondFactor>();
        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => factor.TryAsync(id, code, default))));

        Assert.Equal(1, results.Count(right => right));
    }

    [Fact]
    public async Task StaffWithoutSecondFactor_GetNowhere_WhereItIsRequired()
    {
        await using var database = new Database();
        await using var server = await TestServer.StartAsync(database, ("Auth:Accounts:RequireTotpForStaff", "true"));
        await server.AddAsync("reception", fhirUser: null, roles: Role.Receptionist);
        await server.AddAsync(roles: Role.Patient);
        using var browser = new Browser(server);
        await browser.SignInAsync("reception", People.Password, "/auth/links");
        Assert.Equal("/auth/account/totp", browser.Location);
        await browser.GoAsync("/auth/account/sessions");
        Assert.Equal("/auth/account/totp", browser.Location);
        await browser.GoAsync("/auth/sign-in");
        Assert.Equal("/auth/account/totp", browser.Location);

        var app = await new SmartApp(server).RegisterAsync();
        await browser.GoAsync(app.Authorize("openid fhirUser"));
        Assert.Equal("/auth/account/totp", browser.Location); // no app gets anything either

        await browser.SubmitAsync("account/totp/begin", ("password", People.Password));
        var secret = Read(browser);
        await browser.SubmitAsync("account/totp", ("code", secret.ComputeTotp(database.Clock.GetUtcNow().UtcDateTime)));
        await browser.GoAsync("/auth/links");
        Assert.Equal("/auth/links", browser.Location);

        using var patient = new Browser(server);
        await patient.SignInAsync(People.Anna, People.Password);
        Assert.Equal("/auth/account", patient.Location);
    }

    [Fact]
    public async Task Sessions_AreListed_AndEndedOneByOneOrAll()
    {
        await _server.AddAsync();
        await _server.AddAsync("berta@example.org");
        var browsers = Enumerable.Range(0, 4).Select(_ => new Browser(_server)).ToArray();
        foreach (var browser in browsers[..3])
        {
            await browser.SignInAsync(People.Anna, People.Password);
        }
        await browsers[3].SignInAsync("berta@example.org", People.Password);
        var first = browsers[0];
        await first.GoAsync("/auth/account/sessions");
        Assert.Equal(3, first.Page.QuerySelectorAll(".list > li").Length);
        Assert.Contains("Test browser", first.Text, StringComparison.Ordinal);

        // Another person's session is not theirs to end.
        await browsers[3].GoAsync("/auth/account/sessions");
        var foreign = first.Page.QuerySelectorAll("input[name=session]").Select(input => input.GetAttribute("value")!).ToArray();
        await browsers[3].PostAsync("/auth/account/sessions", new() { ["form_token"] = browsers[3].FormOf("sign-out").Values["form_token"], ["session"] = foreign[0] });

        await first.SubmitAsync("account/sessions");
        Assert.Equal(2, first.Page.QuerySelectorAll(".list > li").Length);
        await first.PostAsync("/auth/account/sessions", new() { ["form_token"] = first.FormOf("sign-out").Values["form_token"] });
        Assert.Single(first.Page.QuerySelectorAll(".list > li"));
        foreach (var (browser, still) in browsers.Zip([true, false, false, true]))
        {
            await browser.GoAsync("/auth/account");
            Assert.Equal(still, browser.Location == "/auth/account");
            browser.Dispose();
        }
    }

    [Fact]
    public async Task ChangedPassword_EndsTheOtherSessions()
    {
        await _server.AddAsync();
        using var other = new Browser(_server);
        await other.SignInAsync(People.Anna, People.Password);
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password, "/auth/account/password");
        await browser.SubmitAsync("account/password", ("password", "not the password"), ("new-password", "seven green bicycles"));
        Assert.Equal(422, browser.Status);
        await browser.SubmitAsync("account/password", ("password", People.Password), ("new-password", "short"));
        Assert.Equal(422, browser.Status);
        await browser.SubmitAsync("account/password", ("password", People.Password), ("new-password", "seven green bicycles"));
        Assert.Equal(200, browser.Status);

        await other.GoAsync("/auth/account");
        Assert.StartsWith("/auth/sign-in", other.Location, StringComparison.Ordinal);
        await browser.GoAsync("/auth/account");
        Assert.Equal("/auth/account", browser.Location);
        await other.SignInAsync(People.Anna, "seven green bicycles");
        Assert.Equal("/auth/account", other.Location);
    }

    [Fact]
    public async Task ChosenLanguage_IsThatOfPages()
    {
        await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);
        await browser.SubmitAsync("account/language", ("language", "ru"));
        Assert.Equal("Ваша учётная запись", browser.Title);

        using var elsewhere = new Browser(_server, "de");
        await elsewhere.SignInAsync(People.Anna, People.Password);
        Assert.Equal("Ваша учётная запись", elsewhere.Title);
    }

    [Fact]
    public async Task Erasure_RemovesTheAccount_ItsSessionsAndItsTokens()
    {
        var id = await _server.AddAsync();
        using var other = new Browser(_server);
        await other.SignInAsync(People.Anna, People.Password);
        await using (var scope = _server.Services.CreateAsyncScope())
        {
            var tokens = scope.ServiceProvider.GetRequiredService<OpenIddictTokenManager<OAuthToken>>();
            await tokens.CreateAsync(new OpenIddictTokenDescriptor { Subject = id, Status = OpenIddictConstants.Statuses.Valid, Type = "refresh_token" });
        }
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password, "/auth/account/erase");
        Assert.Contains("medical record is not erased", browser.Text, StringComparison.Ordinal);
        await browser.SubmitAsync("account/erase", ("password", "not the password"));
        Assert.Equal(422, browser.Status);
        await browser.SubmitAsync("account/erase", ("password", People.Password));
        Assert.Equal("Your account is erased", browser.Title);

        foreach (var type in new[] { AccountIndex.RecordType, SessionIndex.RecordType, FailedSignInIndex.RecordType })
        {
            Assert.Equal(0, await _database.Store.CountAsync(type, Predicate.Everything, 10, default));
        }
        await using (var scope = _server.Services.CreateAsyncScope())
        {
            var tokens = scope.ServiceProvider.GetRequiredService<OpenIddictTokenManager<OAuthToken>>();
            await foreach (var token in tokens.FindBySubjectAsync(id))
            {
                Assert.Equal(OpenIddictConstants.Statuses.Revoked, token.Status);
            }
        }
        await other.GoAsync("/auth/account");
        Assert.StartsWith("/auth/sign-in", other.Location, StringComparison.Ordinal);
        await browser.SignInAsync(People.Anna, People.Password);
        Assert.Equal(422, browser.Status);
        await _server.AddAsync(); // the name is free again
    }

    [Fact]
    public async Task LastAdministrator_CannotBeErased()
    {
        await _server.AddAsync("admin.one", roles: Role.Administrator);
        using var browser = new Browser(_server);
        await browser.SignInAsync("admin.one", People.Password, "/auth/account/erase");
        await browser.SubmitAsync("account/erase", ("password", People.Password));
        Assert.Equal(422, browser.Status);
        await _server.AddAsync("admin.two", roles: Role.Administrator);
        await browser.SubmitAsync("account/erase", ("password", People.Password));
        Assert.Equal("/auth/erased", browser.Location);
    }

    [Fact]
    public async Task Store_HoldsNoSecretOfTheSecondFactor()
    {
        var secret = await EnableTotpAsync(await _server.AddAsync());
        var record = Assert.Single((await _database.Store.QueryAsync(new(AccountIndex.RecordType, Predicate.Everything, RecordOrder.ById, null, 10), default)).Records);
        foreach (var bytes in new[] { secret, Encoding.UTF8.GetBytes(Convert.ToBase64String(secret)), "Totp"u8.ToArray() })
        {
            Assert.True(record.Body.Span.IndexOf(bytes) < 0);
        }
    }

    private DateTime Now => _database.Clock.GetUtcNow().UtcDateTime;

    private static string Other(string code) => code == "000000" ? "000001" : "000000";

    private static Totp Read(Browser browser)
    {
        var address = new Uri(browser.Page.GetElementById("totp-address")!.TextContent);
        Assert.StartsWith("data:image/svg+xml;base64,", browser.Page.QuerySelector("img.qr")!.GetAttribute("src"), StringComparison.Ordinal);
        return new(Base32Encoding.ToBytes(address.Query.Split("secret=")[1].Split('&')[0]));
    }

    private async Task<byte[]> EnableTotpAsync(string id)
    {
        var factor = _server.Services.GetRequiredService<SecondFactor>();
        await factor.BeginAsync(id, default);
        var secret = (await _server.Services.GetRequiredService<AccountDirectory>().FindAsync(id, default))!.Value.TotpPending!;
        Assert.NotNull(await factor.ConfirmAsync(id, new Totp(secret).ComputeTotp(Now), default));
        return secret;
    }
}
