using System.Text;
using Authorization.Access;
using Authorization.Accounts;
using Authorization.Tests.Launch;
using Authorization.Tests.Pages;
using FhirStore;
using FhirStore.Json;
using Microsoft.Extensions.DependencyInjection;
using OtpNet;

namespace Authorization.Tests.Outside;

/// <summary>Whose account somebody is that an outside provider knows: never by what nobody has verified.</summary>
public sealed class OutsideAccountsTests : IAsyncLifetime
{
    private const string Numbers = "https://hospital.example/staff";
    private readonly Database _database = new();
    private StandInProvider _provider = null!;
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _provider = await StandInProvider.StartAsync(_database.Clock);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _provider.DisposeAsync();
        await _database.DisposeAsync();
    }

    private AccountDirectory Accounts => _server.Services.GetRequiredService<AccountDirectory>();

    [Fact]
    public async Task PractitionersNumber_MakesThemThatPractitioner_AtTheOrganizationOfTheSettings()
    {
        await StartAsync(("PractitionerClaim", "employee"), ("PractitionerSystem", Numbers), ("Organization", "ward-1"));
        var doris = await PractitionerAsync("E-7");
        _provider.User["employee"] = "E-7";
        _provider.User["preferred_username"] = "Doris";
        var id = await ArriveAsync();

        var account = (await Accounts.FindAsync(id, default))!.Value;
        Assert.Equal((AccountStatus.Active, doris), (account.Status, account.FhirUser));
        Assert.Equal([new HeldRole(Role.Practitioner, "ward-1")], account.Roles);
        Assert.StartsWith("hospital.doris.", account.UserName, StringComparison.Ordinal);
        Assert.Null(account.PasswordHash);
        Assert.Equal(id, await ArriveAsync());
    }

    [Fact]
    public async Task PractitionersNumber_OfAnAccountThatIsThere_IsThatAccount_UnlessSomebodyElseHasIt()
    {
        await StartAsync(("PractitionerClaim", "employee"), ("PractitionerSystem", Numbers));
        var existing = await _server.AddAsync("doris", fhirUser: await PractitionerAsync("E-7"), roles: Role.Practitioner);
        _provider.User["employee"] = "E-7";

        Assert.Equal(existing, await ArriveAsync());
        _provider.User["sub"] = "u-2"; // somebody else there, with the same number
        var other = await ArriveAsync();
        Assert.NotEqual(existing, other);
        Assert.NotNull((await Accounts.FindAsync(other, default))!.Value.OutsideRequest);
    }

    [Theory]
    [InlineData("unknown")]
    [InlineData("of two")]
    [InlineData("not in use")]
    [InlineData("a list, E-7")]
    public async Task NumberThatSinglesOutNobody_IsForAdministrators(string what)
    {
        await StartAsync(("PractitionerClaim", "employee"), ("PractitionerSystem", Numbers));
        await PractitionerAsync("E-7", active: what != "not in use");
        if (what == "of two")
        {
            await PractitionerAsync("E-7");
        }
        _provider.User["employee"] = what switch { "unknown" => "E-8", "a list, E-7" => "E-9,E-7", _ => "E-7" };

        var account = (await Accounts.FindAsync(await ArriveAsync(), default))!.Value;
        Assert.Equal((AccountStatus.Pending, null), (account.Status, account.FhirUser));
        Assert.Empty(account.Roles);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, null)]
    [InlineData(true, true)]
    public async Task Address_OpensTheAccountOrInvitationItBelongsTo_OnlyVerified_AndOnlyWhereTheSettingsSaySo(bool trusted, bool? verified)
    {
        await StartAsync(("LinkByVerifiedEmail", trusted ? "true" : "false"));
        var anna = await _server.AddAsync();
        var invitations = _server.Services.GetRequiredService<Invitations>();
        Assert.True((await invitations.InviteAsync(new() { Role = Role.Receptionist, Email = "rita@example.org", By = anna }, default)).TryGet(out _, out _));
        if (verified is not null)
        {
            _provider.User["email_verified"] = verified;
        }
        _provider.User["email"] = "Anna.Adler@example.org";
        var arrived = await ArriveAsync();
        (_provider.User["sub"], _provider.User["email"]) = ("u-2", "rita@example.org");
        var rita = (await Accounts.FindAsync(await ArriveAsync(), default))!.Value;

        var opens = trusted && verified is true;
        Assert.Equal(opens, arrived == anna);
        Assert.Equal(opens ? [new HeldRole(Role.Receptionist)] : [], rita.Roles);
        Assert.Equal(opens ? 0 : 1, (await invitations.OpenOnesAsync(default)).Count);
        Assert.Equal(opens, rita.EmailVerified);
        Assert.Equal(opens, rita.Status == AccountStatus.Active);
    }

    /// <summary>An address in an account that its owner has not proven is nobody's.</summary>
    [Fact]
    public async Task Address_ThatTheAccountHasNotProven_OpensNothing()
    {
        await StartAsync(("LinkByVerifiedEmail", "true"));
        var anna = await _server.AddAsync();
        await Accounts.ChangeAsync(anna, account => !(account.EmailVerified = false), default);
        (_provider.User["email"], _provider.User["email_verified"]) = (People.Anna, true);

        Assert.NotEqual(anna, await ArriveAsync());
    }

    [Theory]
    [InlineData("joined")]
    [InlineData("number")]
    [InlineData("address")]
    public async Task ClosedAccount_LetsNobodyIn_AndNoSecondOneIsMade(string by)
    {
        await StartAsync(("PractitionerClaim", "employee"), ("PractitionerSystem", Numbers), ("LinkByVerifiedEmail", "true"));
        var closed = await _server.AddAsync("doris@example.org", fhirUser: await PractitionerAsync("E-7"), roles: Role.Practitioner);
        if (by == "number" || by == "joined")
        {
            _provider.User["employee"] = "E-7";
        }
        (_provider.User["email"], _provider.User["email_verified"]) = ("doris@example.org", by == "address");
        if (by == "joined")
        {
            Assert.Equal(closed, await ArriveAsync());
        }
        await Accounts.ChangeAsync(closed, account => (account.Status = AccountStatus.Disabled) == AccountStatus.Disabled, default);

        using var browser = new Browser(_server);
        await SignInAsync(browser);
        Assert.Equal((403, "That sign-in did not work"), (browser.Status, browser.Title));
        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);
        Assert.Equal(1, await _database.Store.CountAsync(AccountIndex.RecordType, FhirCore.Records.Predicate.Everything, 10, default));
    }

    [Fact]
    public async Task WhoWaits_GetsNothing_UntilAnAdministratorSaysWhoTheyAre()
    {
        await StartAsync();
        var app = await new SmartApp(_server).RegisterAsync();
        var practitioner = await PractitionerAsync("E-7");
        using var doris = new Browser(_server);
        await SignInAsync(doris);
        await doris.GoAsync(app.Authorize("openid fhirUser user/*.rs"));
        Assert.Equal((403, "Your account is not ready yet"), (doris.Status, doris.Title));
        await _server.AddAsync("admin.one", fhirUser: null, roles: Role.Administrator);
        using var admin = new Browser(_server);
        await admin.SignInAsync("admin.one", People.Password, "/auth/accounts/waiting");
        Assert.Contains("Doris Dent", admin.Text, StringComparison.Ordinal);
        Assert.Contains("Lakeside Hospital", admin.Text, StringComparison.Ordinal);

        await admin.SubmitAsync("accounts/waiting", ("decision", "approve"), ("role", "Practitioner"), ("practitioner", ""));
        Assert.Equal(422, admin.Status);
        await admin.SubmitAsync("accounts/waiting", ("decision", "approve"), ("role", "Patient"));
        Assert.Equal(422, admin.Status);
        var (path, form) = admin.FormOf("accounts/waiting");
        await admin.SubmitAsync("accounts/waiting", ("decision", "approve"), ("role", "Practitioner"), ("practitioner", practitioner));
        Assert.Contains("Nobody is waiting", admin.Text, StringComparison.Ordinal);
        form["decision"] = "approve";
        form["role"] = "Administrator";
        await admin.PostAsync(path, form); // sent twice, with more
        Assert.Equal(422, admin.Status);

        var token = await app.LaunchAsync(doris, "openid fhirUser user/*.rs");
        var user = (await _server.Authenticator.AuthenticateAsync($"Bearer {token.AccessToken}", default)).Value.User!;
        Assert.Equal(practitioner, user.FhirUser.ToString());
        Assert.Equal([new HeldRole(Role.Practitioner)], user.Roles);
        Assert.Contains("AccountChange outside-approved-Practitioner", _database.Trail.Told);
    }

    [Fact]
    public async Task WhoIsRefused_IsGone_AndOthersDecideNothing()
    {
        await StartAsync();
        using var doris = new Browser(_server);
        await SignInAsync(doris);
        await _server.AddAsync("manager.one", fhirUser: null, roles: Role.Manager);
        await _server.AddAsync("admin.one", fhirUser: null, roles: Role.Administrator);
        using var manager = new Browser(_server);
        await manager.SignInAsync("manager.one", People.Password, "/auth/accounts/waiting");
        Assert.Equal(403, manager.Status);
        using var admin = new Browser(_server);
        await admin.SignInAsync("admin.one", People.Password, "/auth/accounts/waiting");

        await admin.SubmitAsync("accounts/waiting", ("decision", "refuse"));

        Assert.Contains("Nobody is waiting", admin.Text, StringComparison.Ordinal);
        await doris.GoAsync("/auth/account");
        Assert.Equal("Sign in", doris.Title);
        Assert.Equal(2, await _database.Store.CountAsync(AccountIndex.RecordType, FhirCore.Records.Predicate.Everything, 10, default));
    }

    /// <summary>Names and addresses that a provider tells are shown as text, whatever is in them.</summary>
    [Fact]
    public async Task NameWithMarkup_IsShownAsText()
    {
        await StartAsync();
        (_provider.User["name"], _provider.User["email"]) = ("<script>alert(1)</script>", "\"><img src=x>@example.org");
        await ArriveAsync();
        await _server.AddAsync("admin.one", fhirUser: null, roles: Role.Administrator);
        using var admin = new Browser(_server);
        await admin.SignInAsync("admin.one", People.Password, "/auth/accounts/waiting");

        Assert.Contains("<script>alert(1)</script>", admin.Text, StringComparison.Ordinal);
        Assert.Empty(admin.Page.QuerySelectorAll("main script, main img"));
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData("mfa", null, true)]
    [InlineData("pwd", null, false)]
    [InlineData(null, "urn:hospital:loa:high", true)]
    [InlineData(null, "urn:hospital:loa:low", false)]
    public async Task SecondFactorOfTheProvider_CountsWhereTheSettingsSaySo(string? amr, string? acr, bool counts)
    {
        await StartAsync(
            [("PractitionerClaim", "employee"), ("PractitionerSystem", Numbers), ("SecondFactorMethods:0", "mfa"), ("SecondFactorClasses:0", "urn:hospital:loa:high")],
            ("Auth:Accounts:RequireTotpForStaff", "true"));
        await PractitionerAsync("E-7");
        _provider.User["employee"] = "E-7";
        if (amr is not null)
        {
            _provider.User["amr"] = new System.Text.Json.Nodes.JsonArray("pwd", amr);
        }
        _provider.User["acr"] = acr;
        using var browser = new Browser(_server);
        await SignInAsync(browser);

        Assert.Equal(counts ? "/auth/account" : "/auth/account/totp", browser.Location);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OwnSecondFactor_IsAskedForUnlessTheProvidersCounts(bool counts)
    {
        await StartAsync([("SecondFactorMethods:0", counts ? "mfa" : "hwk")]);
        _provider.User["amr"] = new System.Text.Json.Nodes.JsonArray("mfa");
        var id = await ArriveAsync();
        var secret = new byte[20];
        await Accounts.ChangeAsync(id, account => (account.TotpSecret = secret) is not null, default);
        using var browser = new Browser(_server);
        await SignInAsync(browser);

        if (counts)
        {
            Assert.Equal("/auth/account", browser.Location);
            return;
        }
        Assert.Equal("/auth/sign-in/code", browser.Location);
        Assert.DoesNotContain("__Host-session", browser.Cookies.Keys);
        await browser.SubmitAsync("sign-in/code", ("code", "000000"));
        Assert.Equal(422, browser.Status);
        await browser.SubmitAsync("sign-in/code", ("code", new Totp(secret).ComputeTotp(_database.Clock.GetUtcNow().UtcDateTime)));
        Assert.Equal("/auth/account", browser.Location);
        Assert.Equal("SignIn fed otp mfa", _database.Trail.Told[^1]);
    }

    [Fact]
    public async Task SignOut_LeadsToWhereOneCanSignOutThereToo_InBothLanguages()
    {
        await StartAsync();
        using var browser = new Browser(_server, "ru");
        await SignInAsync(browser);
        await browser.SubmitAsync("sign-out");

        Assert.Equal("/auth/outside/hospital/signed-out", browser.Location);
        Assert.Equal("Вы вышли", browser.Title);
        Assert.Equal($"{_provider.Issuer}/bye?client_id=clinic&post_logout_redirect_uri=https%3A%2F%2Fclinic.example%2Fauth%2Fsign-in", browser.Page.QuerySelector("main a")!.GetAttribute("href"));
        await browser.GoAsync("/auth/outside/hospital/signed-out?ui_locales=en");
        Assert.Equal("You are signed out", browser.Title);
        await browser.GoAsync("/auth/account");
        Assert.Equal("Sign in", browser.Title);
    }

    [Theory]
    [InlineData("sub")]
    [InlineData("sid")]
    public async Task ProviderThatEndsASession_EndsOursWithIt_AndOnlyThat(string by)
    {
        await StartAsync();
        _provider.User["sid"] = "s-1";
        using var browser = new Browser(_server);
        await SignInAsync(browser);
        using var own = new Browser(_server);
        await _server.AddAsync();
        await own.SignInAsync(People.Anna, People.Password);
        var token = _provider.LogoutToken((_, claims) =>
        {
            claims.Remove("sub");
            claims[by] = by == "sub" ? "u-1" : "s-1";
        });

        Assert.Equal(200, await LogoutAsync(token));

        await browser.GoAsync("/auth/account");
        Assert.Equal("Sign in", browser.Title);
        await own.GoAsync("/auth/account");
        Assert.Equal("Your account", own.Title);
        Assert.Equal(400, await LogoutAsync(token)); // told before
        Assert.Equal("SignOut outside", _database.Trail.Told[^1]);
    }

    [Theory]
    [InlineData("nonce")]
    [InlineData("events")]
    [InlineData("aud")]
    [InlineData("iss")]
    [InlineData("jti")]
    [InlineData("nobody")]
    [InlineData("old")]
    [InlineData("signature")]
    public async Task LogoutTokenThatIsWrong_EndsNothing(string wrong)
    {
        await StartAsync();
        using var browser = new Browser(_server);
        await SignInAsync(browser);
        var token = _provider.LogoutToken((_, claims) =>
        {
            switch (wrong)
            {
                case "nonce": claims["nonce"] = "n"; break;
                case "events": claims["events"] = new System.Text.Json.Nodes.JsonObject(); break;
                case "aud": claims["aud"] = "somebody-else"; break;
                case "iss": claims["iss"] = "https://evil.example"; break;
                case "jti": claims.Remove("jti"); break;
                case "nobody": claims.Remove("sub"); break;
                case "old": (claims["iat"], claims["exp"]) = (_database.Clock.GetUtcNow().AddHours(-1).ToUnixTimeSeconds(), _database.Clock.GetUtcNow().AddHours(1).ToUnixTimeSeconds()); break;
            }
        });

        Assert.Equal(400, await LogoutAsync(wrong == "signature" ? token[..^8] + "AAAAAAAA" : token));

        await browser.GoAsync("/auth/account");
        Assert.Equal("Your account", browser.Title);
    }

    [Fact]
    public async Task Join_NeedsThePasswordHereAndTheSignInThere_AndCanBeTakenBack()
    {
        await StartAsync();
        var anna = await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password, "/auth/account/outside");
        await browser.SubmitAsync("account/outside", ("password", "not the password"));
        Assert.Equal(422, browser.Status);
        await browser.SubmitAsync("account/outside", ("password", People.Password));
        await browser.GoAsync(_provider.SignIn(browser.Location));
        Assert.Equal("/auth/account/outside", browser.Location);
        Assert.Contains("You can sign in with Lakeside Hospital.", browser.Text, StringComparison.Ordinal);
        Assert.Equal(anna, await ArriveAsync());

        await browser.GoAsync("/auth/account/outside");
        await browser.SubmitAsync("account/outside/part", ("password", People.Password));
        Assert.NotEqual(anna, await ArriveAsync());
    }

    [Fact]
    public async Task Join_OfWhatIsSomebodyElses_OrInAnotherBrowser_ChangesNothing()
    {
        await StartAsync();
        var doris = await ArriveAsync();
        var anna = await _server.AddAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password, "/auth/account/outside");
        await browser.SubmitAsync("account/outside", ("password", People.Password));
        await browser.GoAsync(_provider.SignIn(browser.Location));
        Assert.Equal((409, "It could not be joined"), (browser.Status, browser.Title));

        _provider.User["sub"] = "u-2";
        await browser.GoAsync("/auth/account/outside");
        await browser.SubmitAsync("account/outside", ("password", People.Password));
        var back = _provider.SignIn(browser.Location);
        browser.Cookies.Remove("__Host-session"); // signed out meanwhile
        await browser.GoAsync(back);
        Assert.Equal(409, browser.Status);
        Assert.Null((await Accounts.FindAsync(anna, default))!.Value.OutsideSubject);
        _provider.User["sub"] = "u-1";
        Assert.Equal(doris, await ArriveAsync());
    }

    [Fact]
    public async Task AccountWithoutAPassword_KeepsItsOnlyWayIn_AndGetsOthersOnlyRightAfterASignIn()
    {
        await StartAsync();
        using var browser = new Browser(_server);
        await SignInAsync(browser);
        await browser.GoAsync("/auth/account/outside");
        await browser.SubmitAsync("account/outside/part");
        Assert.Equal(422, browser.Status);
        Assert.Contains("You have no other way to sign in", browser.Alert, StringComparison.Ordinal);
        _database.Clock.Advance(PasswordSignIn.Fresh);
        foreach (var page in new[] { "account/password", "account/totp", "account/passkeys" })
        {
            await browser.GoAsync($"/auth/{page}");
            await browser.SubmitAsync(page == "account/totp" ? "account/totp/begin" : page, page == "account/password" ? [("new-password", "four green umbrellas")] : []);
            Assert.Equal(422, browser.Status);
            Assert.Contains("Sign out and in again", browser.Alert, StringComparison.Ordinal);
        }
        await SignInAsync(browser);
        await browser.GoAsync("/auth/account/password");
        await browser.SubmitAsync("account/password", ("new-password", "four green umbrellas"));
        Assert.Equal("Your password is changed", browser.Title);
        await browser.GoAsync("/auth/account/totp");
        await browser.SubmitAsync("account/totp/begin", ("password", "four green umbrellas"));
        Assert.NotNull(browser.Page.GetElementById("totp-address"));
    }

    /// <summary>The provider is another one of these servers: what we ask for is what we would answer.</summary>
    [Fact]
    public async Task AnotherOfTheseServers_AsProvider_SignsItsPractitionersIn()
    {
        await using var theirs = new Database();
        var port = global::Tests.Shared.FreePort.Draw();
        var their = $"http://127.0.0.1:{port}";
        await using var hospital = await TestServer.StartAsync(
            theirs, ("urls", their), ("Server:BaseUrl", their + "/fhir"), ("Auth:Clients:1:ClientId", "clinic"), ("Auth:Clients:1:ClientSecret", "a-secret-of-the-clinic"), ("Auth:Clients:1:Scope", "openid fhirUser"),
            ("Auth:Clients:1:RedirectUris:0", "https://clinic.example/auth/outside/hospital/return"));
        await hospital.AddAsync("doris", fhirUser: "Practitioner/77", roles: Role.Practitioner);
        _server = await TestServer.StartAsync(
            _database, ("Auth:ExternalProviders:0:Name", "hospital"), ("Auth:ExternalProviders:0:Issuer", their + "/auth"), ("Auth:ExternalProviders:0:ClientId", "clinic"),
            ("Auth:ExternalProviders:0:ClientSecret", "a-secret-of-the-clinic"), ("Auth:ExternalProviders:0:Scopes", "openid fhirUser"), ("Auth:ExternalProviders:0:PractitionerClaim", "fhirUser"),
            ("Auth:ExternalProviders:0:PractitionerSystem", Numbers), ("Auth:ExternalProviders:0:Parameters:aud", their + "/fhir"), ("Auth:AllowedPrivateEndpoints:0", $"127.0.0.1:{port}"));
        var practitioner = await PractitionerAsync(their + "/fhir/Practitioner/77");
        using var here = new Browser(_server);
        using var there = new Browser(hospital);
        await here.GoAsync("/auth/sign-in");
        await here.SubmitAsync("outside/hospital");
        await there.GoAsync(new Uri(here.Location).PathAndQuery);
        await there.SubmitAsync("sign-in", ("username", "doris"), ("password", People.Password));
        await there.SubmitAsync("authorize", ("decision", "allow"));

        await here.GoAsync(new Uri(there.Location).PathAndQuery);

        Assert.Equal("/auth/account", here.Location);
        var account = await FirstAsync(Accounts.OfFhirUserAsync(practitioner, default));
        Assert.Equal([new HeldRole(Role.Practitioner)], account.Roles);
    }

    private static async Task<Account> FirstAsync(IAsyncEnumerable<FhirStore.Sealed.Sealed<Account>> accounts)
    {
        await foreach (var account in accounts)
        {
            return account.Value;
        }
        throw new InvalidOperationException("None.");
    }

    private Task StartAsync(params (string Key, string? Value)[] settings) => StartAsync(settings, []);

    private async Task StartAsync((string Key, string? Value)[] settings, params (string Key, string? Value)[] more) =>
        _server = await TestServer.StartAsync(_database, [.. _provider.Settings(settings), .. more]);

    private async Task<string> PractitionerAsync(string number, bool active = true)
    {
        var json = $$"""{"resourceType":"Practitioner","active":{{(active ? "true" : "false")}},"identifier":[{"system":"{{Numbers}}","value":"{{number}}"}]}""";
        Assert.True(ResourceParser.Parse(Encoding.UTF8.GetBytes(json), "Practitioner").TryGet(out var resource, out _));
        var written = await _server.Services.GetRequiredService<ResourceStore>().WriteAsync([new FhirStore.Writing.WriteRequest.Create(resource, [])], default);
        return written.Value[0].Resource!.Key.ToString();
    }

    private async Task SignInAsync(Browser browser)
    {
        await browser.GoAsync("/auth/sign-in");
        await browser.SubmitAsync("outside/hospital");
        await browser.GoAsync(_provider.SignIn(browser.Location));
    }

    /// <returns>The account they are signed in to.</returns>
    private async Task<string> ArriveAsync()
    {
        using var browser = new Browser(_server);
        await SignInAsync(browser);
        Assert.Contains("__Host-session", browser.Cookies.Keys);
        return _database.Trail.All.Last(one => one.Kind == FhirCore.Auditing.SecurityEventKind.SignIn && one.Succeeded).AccountId!;
    }

    private async Task<int> LogoutAsync(string token)
    {
        using var answer = await _server.Http.PostAsync("/auth/outside/hospital/logout", new FormUrlEncodedContent([new("logout_token", token)]));
        Assert.True(answer.Headers.CacheControl!.NoStore);
        return (int)answer.StatusCode;
    }
}
