using System.Text;
using Authorization.Accounts;
using Authorization.Endpoints;
using FhirCore.Records;
using Microsoft.Extensions.DependencyInjection;

namespace Authorization.Tests.Pages;

public sealed class SignInTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(_database);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task RightPassword_BeginsASession_SignOutEndsIt()
    {
        await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(" Anna.Adler@Example.org ", People.Password);

        Assert.Equal("/auth/account", browser.Location);
        Assert.Equal(200, browser.Status);
        var secret = browser.Cookies["__Host-session"];
        Assert.Equal(1, await SessionsAsync());

        await browser.SubmitAsync("sign-out");
        Assert.Equal("/auth/sign-in", browser.Location);
        Assert.Equal(0, await SessionsAsync());
        browser.Cookies["__Host-session"] = secret;
        await browser.GoAsync("/auth/account");
        Assert.StartsWith("/auth/sign-in?return=", browser.Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongPassword_UnknownUser_DisabledAndLocked_LookTheSame()
    {
        await _server.AddAsync();
        await _server.AddAsync("gone@example.org", status: AccountStatus.Disabled);
        for (var i = 0; i < 5; i++)
        {
            using var guesser = new Browser(_server);
            await guesser.SignInAsync("locked@example.org", "a wrong password " + i);
        }
        var pages = new List<string>();
        foreach (var (name, password) in new[]
        {
            (People.Anna, "some other password"), ("nobody@example.org", People.Password), ("gone@example.org", People.Password), ("locked@example.org", People.Password),
            ("no name at all \"><script>", "x"),
        })
        {
            using var browser = new Browser(_server);
            await browser.SignInAsync(name, password);
            Assert.Equal(422, browser.Status);
            Assert.False(browser.Cookies.ContainsKey("__Host-session"));
            Assert.Equal(name, browser.Page.QuerySelector("#username")!.GetAttribute("value"));
            pages.Add(browser.Alert!);
        }
        Assert.Single(pages.Distinct());
        Assert.Equal(0, await SessionsAsync());
    }

    [Fact]
    public async Task FiveWrongPasswords_LockTheName_UntilTheTimeIsOver()
    {
        await _server.AddAsync();
        using var browser = new Browser(_server);
        for (var i = 0; i < 5; i++)
        {
            await browser.SignInAsync(People.Anna, "not the password");
        }
        await browser.SignInAsync(People.Anna, People.Password);
        Assert.Equal(422, browser.Status);

        _database.Clock.Advance(TimeSpan.FromSeconds(59));
        await browser.SignInAsync(People.Anna, People.Password);
        Assert.Equal(422, browser.Status);

        _database.Clock.Advance(TimeSpan.FromSeconds(2));
        await browser.SignInAsync(People.Anna, People.Password);
        Assert.Equal("/auth/account", browser.Location);
    }

    [Fact]
    public async Task GuessesAtTheSameTime_AreAllCounted()
    {
        await _server.AddAsync();
        var lockOut = _server.Services.GetRequiredService<LockOut>();
        var begun = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => lockOut.TryBeginAsync(People.Anna, default))));

        Assert.Equal(5, begun.Count(went => went));
    }

    [Fact]
    public async Task ManyFailuresOfOneAddress_MustWait()
    {
        using var browser = new Browser(_server);
        for (var i = 0; i < LoginThrottle.Failures; i++)
        {
            await browser.SignInAsync($"someone-{i}", "a wrong password");
            Assert.Equal(422, browser.Status);
        }
        await browser.SignInAsync("someone-else", "a wrong password");

        Assert.Equal(429, browser.Status);
        Assert.InRange(browser.Response.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), LoginThrottle.Window);
    }

    [Theory]
    [InlineData("/auth/account?x=1", true)]
    [InlineData("https://evil.example/", false)]
    [InlineData("//evil.example/auth/", false)]
    [InlineData("/auth//evil.example", false)]
    [InlineData("/auth/../fhir/Patient", false)]
    [InlineData("/auth/%2e%2e/fhir", false)]
    [InlineData("/auth/\\evil.example", false)]
    [InlineData("/auth/%5Cevil.example", false)]
    [InlineData("/authevil", false)]
    [InlineData("/auth/a\r\nSet-Cookie: a=b", false)]
    [InlineData("javascript:alert(1)", false)]
    public async Task Return_LeadsToOurOwnPagesOnly(string wanted, bool followed)
    {
        await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password, wanted);

        Assert.Equal(followed ? wanted : "/auth/account", browser.Location);
    }

    [Theory]
    [InlineData("no token")]
    [InlineData("another browser's token")]
    [InlineData("another origin")]
    [InlineData("null origin")]
    [InlineData("cross-site without origin")]
    [InlineData("a form that is none")]
    public async Task ForeignForms_AreRefused_AndChangeNothing(string how)
    {
        await _server.AddAsync();
        using var browser = new Browser(_server);
        using var other = new Browser(_server);
        await other.GoAsync("/auth/sign-in");
        await browser.GoAsync("/auth/sign-in");
        var (path, values) = browser.FormOf("sign-in");
        values["username"] = People.Anna;
        values["password"] = People.Password;
        string? origin = "";
        switch (how)
        {
            case "no token":
                values.Remove("form_token");
                break;
            case "another browser's token":
                values["form_token"] = other.FormOf("sign-in").Values["form_token"];
                break;
            case "another origin":
                origin = "https://evil.example";
                break;
            case "null origin":
                origin = "null";
                break;
            case "a form that is none":
                values["username"] = "\0";
                break;
            default:
                origin = null;
                browser.Cookies.Remove("__Host-visit");
                break;
        }
        await browser.PostAsync(path, values, origin);

        Assert.Equal(403, browser.Status);
        Assert.False(browser.Cookies.ContainsKey("__Host-session"));
        Assert.Equal(0, await SessionsAsync());
    }

    [Fact]
    public async Task TokenOfBeforeTheSignIn_IsNoGoodAfterIt()
    {
        await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.GoAsync("/auth/sign-in");
        var before = browser.FormOf("sign-in").Values["form_token"];
        await browser.SignInAsync(People.Anna, People.Password);

        await browser.PostAsync("/auth/sign-out", new() { ["form_token"] = before });

        Assert.Equal(403, browser.Status);
        Assert.Equal(1, await SessionsAsync());
    }

    [Fact]
    public async Task Session_EndsWhenIdle_AndAfterItsLifetime()
    {
        await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);
        for (var minutes = 0; minutes < 12 * 60 - 29; minutes += 29)
        {
            _database.Clock.Advance(TimeSpan.FromMinutes(29));
            await browser.GoAsync("/auth/account");
            Assert.Equal("/auth/account", browser.Location);
        }
        _database.Clock.Advance(TimeSpan.FromMinutes(29)); // in use all the time, but twelve hours are over
        await browser.GoAsync("/auth/account");
        Assert.StartsWith("/auth/sign-in", browser.Location, StringComparison.Ordinal);

        await browser.SignInAsync(People.Anna, People.Password);
        _database.Clock.Advance(TimeSpan.FromMinutes(30));
        await browser.GoAsync("/auth/account");
        Assert.StartsWith("/auth/sign-in", browser.Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DisabledAccount_IsSignedOutAtOnce()
    {
        var id = await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);

        await _server.Services.GetRequiredService<AccountDirectory>().ChangeAsync(id, account => (account.Status = AccountStatus.Disabled) == AccountStatus.Disabled, default);
        await browser.GoAsync("/auth/account");

        Assert.StartsWith("/auth/sign-in", browser.Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Language_FollowsTheBrowser_TheAddress_AndTheChoice()
    {
        using var russian = new Browser(_server, "ru-RU,ru;q=0.9,en;q=0.8");
        Assert.Equal("Вход", (await russian.GoAsync("/auth/sign-in")).Title);
        Assert.Equal("Sign in", (await russian.GoAsync("/auth/sign-in?ui_locales=fr+en")).Title);
        Assert.Equal("Sign in", (await russian.GoAsync("/auth/sign-in")).Title);
        using var german = new Browser(_server, "de, fr;q=0.5");
        Assert.Equal("Sign in", (await german.GoAsync("/auth/sign-in")).Title);
        using var mixed = new Browser(_server, "en;q=0.3, ru;q=0.7");
        Assert.Equal("Вход", (await mixed.GoAsync("/auth/sign-in")).Title);
    }

    [Fact]
    public async Task Store_HoldsNothingThatCouldBeRead()
    {
        var id = await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync("stranger@example.org", "the password of a stranger");
        await browser.SignInAsync(People.Anna, People.Password);
        var secret = browser.Cookies["__Host-session"];

        foreach (var type in new[] { AccountIndex.RecordType, SessionIndex.RecordType, FailedSignInIndex.RecordType })
        {
            var records = (await _database.Store.QueryAsync(new(type, Predicate.Everything, RecordOrder.ById, null, 100), default)).Records;
            Assert.NotEmpty(records);
            foreach (var record in records)
            {
                foreach (var text in new[] { "anna", "Adler", "example.org", People.Password, "Patient", "stranger", secret, "Test browser", id })
                {
                    Assert.True(record.Body.Span.IndexOf(Encoding.UTF8.GetBytes(text)) < 0, $"{record.Key}: {text}");
                    Assert.True(record.Index.Block.Span.IndexOf(Encoding.UTF8.GetBytes(text)) < 0, $"{record.Key}: {text}");
                    Assert.True(record.Key.Type == AccountIndex.RecordType || !record.Key.Id.Contains(text, StringComparison.OrdinalIgnoreCase));
                }
            }
        }
    }

    private ValueTask<long> SessionsAsync() => _database.Store.CountAsync(SessionIndex.RecordType, Predicate.Everything, 100, default);
}
