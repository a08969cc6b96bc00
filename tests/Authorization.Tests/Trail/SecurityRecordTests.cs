using System.Net;
using Authorization.Access;
using Authorization.Tests.Launch;
using Authorization.Tests.Pages;
using FhirCore;
using FhirCore.Auditing;

namespace Authorization.Tests.Trail;

/// <summary>Whatever happens around sign-in leaves one event, also what is refused; and nothing is given out that is not on record.</summary>
public sealed class SecurityRecordTests : IAsyncLifetime
{
    private static readonly ResourceKey Patient = new("Patient", "anna");
    private readonly Database _database = new();
    private TestServer _server = null!;
    private string _anna = "";

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(_database);
        _anna = await _server.AddAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task SignInAndOut_LeaveOneEventEach_WithWhoAndWhence()
    {
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, "not the password");
        await browser.SignInAsync("nobody@example.org", People.Password);
        await browser.SignInAsync(People.Anna, People.Password);
        await browser.SubmitAsync("sign-out");

        Assert.Equal(["SignIn password refused", "SignIn unknown refused", "SignIn pwd", "SignOut"], _database.Trail.Told);
        var (wrong, unknown, right, end) = (_database.Trail.All[0], _database.Trail.All[1], _database.Trail.All[2], _database.Trail.All[3]);
        Assert.Null(unknown.AccountId);
        Assert.All([wrong, right, end], one => Assert.Equal((_anna, Patient), (one.AccountId, one.FhirUser!.Value)));
        Assert.All(_database.Trail.All, one => Assert.Equal(IPAddress.Loopback, one.Address));
        Assert.DoesNotContain("nobody", string.Join(' ', _database.Trail.All), StringComparison.Ordinal);
    }

    [Fact]
    public async Task LockedName_AndAddressThatMustWait_AreOnRecordAsSuch()
    {
        using var browser = new Browser(_server);
        for (var i = 0; i < 11; i++)
        {
            await browser.SignInAsync(People.Anna, "not the password");
        }

        Assert.Equal([.. Enumerable.Repeat("SignIn password refused", 5), .. Enumerable.Repeat("SignIn locked-out refused", 5), "SignIn throttled refused"], _database.Trail.Told);
    }

    [Fact]
    public async Task Launch_LeavesConsentTokenRefreshAndRevocation_OfTheAppThePersonAndThePatient()
    {
        var app = await new SmartApp(_server, secret: "a-secret-of-the-app").RegisterAsync();
        using var browser = new Browser(_server);
        var first = await app.LaunchAsync(browser, "openid offline_access patient/*.rs");
        var second = await app.RefreshAsync(first);
        await app.RefreshAsync(first); // stolen
        await browser.GoAsync("/auth/apps");
        await browser.SubmitAsync("apps");

        Assert.Equal(
            ["SignIn pwd", "Consent allowed", "Token authorization_code", "Token refresh_token", "Token invalid_grant refused", "Revocation by-user"], _database.Trail.Told);
        Assert.All(_database.Trail.All.Skip(1), one => Assert.Equal((app.Id, _anna, Patient), (one.ClientId, one.AccountId, one.FhirUser!.Value)));
        Assert.Equal([null, null, "anna", "anna", null, null], _database.Trail.All.Select(one => one.Patient));
        Assert.Equal(200, second.Status);
    }

    [Fact]
    public async Task RefusalByTheUser_IsOnRecord()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);
        await browser.GoAsync(app.Authorize("patient/*.rs"));
        await browser.SubmitAsync("authorize", ("decision", "deny"));

        Assert.Equal("Consent denied refused", _database.Trail.Told[^1]);
        Assert.Equal((app.Id, _anna), (_database.Trail.Last.ClientId, _database.Trail.Last.AccountId));
    }

    [Fact]
    public async Task TokensOfClients_AndTheirRefusals_AreOnRecord_NamesThatAreMadeUpAreNot()
    {
        await _server.AskAsync();
        await _server.AskAsync(secret: "wrong-wrong-wrong-wrong");
        await _server.AskAsync(clientId: "made-up-with-a-telling-name");
        await _server.AskAsync(scope: "system/Nothing.rs");
        await _server.AskAsync(grantType: "password");

        Assert.Equal(
            ["Token client_credentials", "Token invalid_client refused", "Token invalid_client refused", "Token invalid_scope refused", "Token unsupported_grant_type refused"], _database.Trail.Told);
        Assert.Equal([TestServer.ClientId, TestServer.ClientId, null, TestServer.ClientId, TestServer.ClientId], _database.Trail.All.Select(one => one.ClientId));
        Assert.All(_database.Trail.All, one => Assert.Null(one.AccountId));
    }

    [Fact]
    public async Task ChangesOfAccounts_SayWhoDidThemAndToWhom()
    {
        var admin = await _server.AddAsync("admin.one", fhirUser: null, roles: Role.Administrator);
        using var browser = new Browser(_server);
        await browser.SignInAsync("admin.one", People.Password);
        await browser.GoAsync("/auth/accounts");
        await browser.SubmitAsync("accounts", ("username", People.Anna));
        var (path, form) = browser.FormOf("accounts/status");
        form["account"] = _anna;
        await browser.PostAsync(path, form);
        await browser.GoAsync("/auth/account/password");
        await browser.SubmitAsync("account/password", ("password", "not the password"), ("new-password", "four green umbrellas"));
        await browser.SubmitAsync("account/password", ("password", People.Password), ("new-password", "four green umbrellas"));

        Assert.Equal(["SignIn pwd", "AccountChange closed", "SignIn confirmation refused", "AccountChange password"], _database.Trail.Told);
        Assert.All(_database.Trail.All, one => Assert.Equal(admin, one.AccountId));
        Assert.Equal([null, _anna, null, null], _database.Trail.All.Select(one => one.About));
    }

    [Fact]
    public async Task WhatCannotBePutOnRecord_IsNotGivenOut()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var code = await app.CodeAsync(browser, "offline_access patient/*.rs");
        _database.Trail.IsStuck = true;

        using var stranger = new Browser(_server);
        await stranger.SignInAsync(People.Anna, People.Password);
        Assert.Equal(500, stranger.Status); // the composition root makes 503 of it
        Assert.DoesNotContain("__Host-session", stranger.Cookies.Keys);
        using var answer = await _server.Http.PostAsync("/auth/token", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials", ["scope"] = "system/Patient.rs", ["client_id"] = TestServer.ClientId, ["client_secret"] = TestServer.Secret,
        }));
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.DoesNotContain("access_token", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        _database.Trail.IsStuck = false;
        Assert.Equal(200, (await app.RedeemAsync(code)).Status);
    }
}
