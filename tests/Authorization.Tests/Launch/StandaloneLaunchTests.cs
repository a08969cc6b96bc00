using System.Text.Json;
using Authorization.Access;
using Authorization.Accounts;
using Authorization.Keys;
using Authorization.Scopes;
using Authorization.Tests.Pages;
using FhirCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Tests.Launch;

/// <summary>https://hl7.org/fhir/smart-app-launch/app-launch.html, from the app's first redirect to the token, through the pages a user sees.</summary>
public sealed class StandaloneLaunchTests : IAsyncLifetime
{
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

    [Theory]
    [InlineData(null)]
    [InlineData("a-secret-of-the-app")]
    public async Task Launch_OfAPatientsApp_GivesATokenForTheirRecord(string? secret)
    {
        var app = await new SmartApp(_server, secret: secret).RegisterAsync();
        using var browser = new Browser(_server);

        var answer = await app.LaunchAsync(browser, "openid fhirUser launch/patient offline_access patient/*.rs", ("nonce", "n-1"));

        Assert.Equal("Bearer", answer.Body.GetProperty("token_type").GetString(), ignoreCase: true);
        Assert.Equal(JsonValueKind.Number, answer.Body.GetProperty("expires_in").ValueKind);
        Assert.Equal(["launch/patient", "offline_access", "openid", "fhirUser", "patient/*.rs"], answer.Scope!.Split(' ').ToHashSet());
        Assert.Equal("anna", answer.Body.GetProperty("patient").GetString());
        Assert.True(answer.Response.Headers.CacheControl!.NoStore);
        Assert.Contains("no-cache", answer.Response.Headers.Pragma.ToString(), StringComparison.Ordinal);
        var grant = await GrantAsync(answer);
        Assert.Equal((_anna, new ResourceKey("Patient", "anna")), (grant.User!.AccountId, grant.User.FhirUser!.Value));
        Assert.Equal(new LaunchContext("anna"), grant.Launch);
        Assert.Contains(new SmartScope(ScopeLevel.Patient, "*", Permissions.Read | Permissions.Search), grant.Scopes);

        var id = new JsonWebToken(answer.Body.GetProperty("id_token").GetString());
        Assert.Equal(("RS256", "https://clinic.example/auth", _anna, "n-1"), (id.Alg, id.Issuer, id.Subject, id.GetPayloadValue<string>("nonce")));
        Assert.Equal([app.Id], id.Audiences);
        Assert.Equal("https://clinic.example/fhir/Patient/anna", id.GetPayloadValue<string>("fhirUser"));
        var verified = await new JsonWebTokenHandler().ValidateTokenAsync(id.EncodedToken, new TokenValidationParameters
        {
            IssuerSigningKeys = new JsonWebKeySet(await _server.Http.GetStringAsync("/auth/jwks")).GetSigningKeys(),
            ValidIssuer = "https://clinic.example/auth", ValidAudience = app.Id, ValidateLifetime = false, ValidAlgorithms = ["RS256"],
        });
        Assert.True(verified.IsValid, verified.Exception?.Message);
    }

    [Fact]
    public async Task Scopes_ThatWereNotAskedFor_BringNothing()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);

        var answer = await app.LaunchAsync(browser, "patient/Patient.read");

        Assert.Equal("patient/Patient.read", answer.Scope);
        Assert.False(answer.Body.TryGetProperty("id_token", out _));
        Assert.False(answer.Body.TryGetProperty("refresh_token", out _));
        Assert.Equal("anna", answer.Body.GetProperty("patient").GetString());
    }

    [Theory]
    [InlineData("state", null, "invalid_request")]
    [InlineData("aud", null, "invalid_request")]
    [InlineData("aud", "https://evil.example/fhir", "invalid_request")]
    [InlineData("aud", "https://clinic.example", "invalid_request")]
    [InlineData("resource", "https://evil.example/fhir", "invalid_request")]
    [InlineData("scope", null, "invalid_request")]
    [InlineData("scope", "system/*.rs", "invalid_scope")]
    [InlineData("scope", "patient/Patient.x", "invalid_scope")]
    [InlineData("response_type", "token", "unsupported_response_type")]
    [InlineData("response_type", "code token", "unsupported_response_type")]
    [InlineData("response_mode", "fragment", "invalid_request")]
    [InlineData("code_challenge", null, "invalid_request")]
    [InlineData("code_challenge_method", null, "invalid_request")]
    [InlineData("code_challenge_method", "plain", "invalid_request")]
    [InlineData("launch", "made-up", "invalid_request")]
    [InlineData("prompt", "none", "login_required")]
    public async Task RequestThatIsWrong_GoesBackToTheApp_WithTheError(string name, string? value, string error)
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        if (error is "invalid_scope" || name is "launch")
        {
            await browser.SignInAsync(People.Anna, People.Password);
        }

        await browser.GoAsync(app.Authorize("openid fhirUser patient/*.rs", (name, value)));

        Assert.StartsWith(app.Redirect + "?", browser.Location, StringComparison.Ordinal);
        Assert.Contains($"error={error}", browser.Location, StringComparison.Ordinal);
        Assert.DoesNotContain("code=", browser.Location, StringComparison.Ordinal);
        Assert.True(name == "state" || browser.Location.Contains($"state={app.State}", StringComparison.Ordinal));
        Assert.False(browser.Location.Contains("error_uri", StringComparison.Ordinal));
        Assert.Equal(0, await _database.CountAsync("_OAuthAuthorization", "_OAuthToken"));
    }

    [Theory]
    [InlineData("client_id", "nobody")]
    [InlineData("client_id", null)]
    [InlineData("redirect_uri", "https://evil.example/callback")]
    [InlineData("redirect_uri", "https://app.example/callback/")]
    [InlineData("redirect_uri", "https://app.example/callback?x=1")]
    [InlineData("redirect_uri", null)]
    [InlineData("client_id", TestServer.ClientId)]
    public async Task ClientOrRedirectThatIsWrong_IsToldToTheUserOnly(string name, string? value)
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);

        await browser.GoAsync(app.Authorize("patient/*.rs", (name, value)));

        Assert.Equal(400, browser.Status);
        Assert.StartsWith("/auth/authorize", browser.Location, StringComparison.Ordinal);
        Assert.Equal("The app's request cannot be answered", browser.Title);
        Assert.Equal(0, await _database.CountAsync("_OAuthAuthorization", "_OAuthToken"));
    }

    [Theory]
    [InlineData("resource", "https://clinic.example/fhir")]
    [InlineData("aud", "https://clinic.example/fhir/")]
    public async Task Audience_MayBeWrittenLikeThisToo(string name, string value)
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);

        Assert.Equal(200, (await app.LaunchAsync(browser, "patient/*.rs", ("aud", null), (name, value))).Status);
    }

    [Theory]
    [InlineData("code_verifier", null)]
    [InlineData("code_verifier", "another-verifier-that-is-long-enough-to-be-one-indeed")]
    [InlineData("redirect_uri", "https://evil.example/callback")]
    [InlineData("redirect_uri", null)]
    [InlineData("client_id", "other")]
    [InlineData("code", "made-up")]
    public async Task RedemptionThatIsWrong_IsRefused_AndGivesNothing(string name, string? value)
    {
        await new SmartApp(_server, "other").RegisterAsync();
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var code = await app.CodeAsync(browser, "patient/*.rs");

        var answer = await app.RedeemAsync(code, (name, value));

        Assert.Equal(400, answer.Status);
        Assert.Contains(answer.Error, new[] { "invalid_grant", "invalid_request" });
        Assert.False(answer.Body.TryGetProperty("access_token", out _));
        Assert.Equal(200, (await app.RedeemAsync(code)).Status); // nothing was used up
    }

    [Fact]
    public async Task Code_IsGoodOnce_AndTheSecondUseEndsWhatTheFirstGave()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var code = await app.CodeAsync(browser, "offline_access patient/*.rs");
        var first = await app.RedeemAsync(code);

        var second = await app.RedeemAsync(code);

        Assert.Equal(200, first.Status);
        Assert.Equal((400, "invalid_grant"), (second.Status, second.Error));
        Assert.Equal("invalid_grant", (await app.RefreshAsync(first)).Error);
        Assert.NotNull((await _server.Authenticator.AuthenticateAsync($"Bearer {first.AccessToken}", default)).Failure);
    }

    [Fact]
    public async Task Code_OfManyAtOnce_IsGoodOnce()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var code = await app.CodeAsync(browser, "patient/*.rs");

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => app.RedeemAsync(code)));

        Assert.InRange(answers.Count(answer => answer.Status == 200), 0, 1);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => Assert.Equal("invalid_grant", answer.Error));
    }

    [Fact]
    public async Task Code_LastsOneMinute()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var code = await app.CodeAsync(browser, "patient/*.rs");
        _database.Clock.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal("invalid_grant", (await app.RedeemAsync(code)).Error);
    }

    [Fact]
    public async Task FormPost_IsAnsweredLikeAGet()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);

        await browser.PostAsync("/auth/authorize", app.Parameters("patient/*.rs"), "https://app.example");

        Assert.Equal("Let Good App use your access?", browser.Title);
        await browser.SubmitAsync("authorize", ("decision", "allow"));
        Assert.NotNull(app.Returned(browser).Code);
    }

    [Fact]
    public async Task AnswerThatAnotherSiteSends_IsNoConsent()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);
        await browser.GoAsync(app.Authorize("patient/*.rs"));
        var (path, form) = browser.FormOf("authorize");
        form["decision"] = "allow";

        await browser.PostAsync(path, form, "https://evil.example");
        Assert.Equal("Let Good App use your access?", browser.Title);
        form["form_token"] = new('0', 32);
        await browser.PostAsync(path, form);
        Assert.Equal("Let Good App use your access?", browser.Title);
    }

    [Fact]
    public async Task MaxAgeAndPromptLogin_MakeTheUserSignInAgain_Once()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        foreach (var change in new[] { ("prompt", "login"), ("max_age", "30") })
        {
            using var browser = new Browser(_server);
            await browser.SignInAsync(People.Anna, People.Password);
            _database.Clock.Advance(TimeSpan.FromMinutes(2));

            await browser.GoAsync(app.Authorize("openid patient/*.rs", change));
            Assert.Equal("Sign in", browser.Title);
            await browser.SubmitAsync("sign-in", ("username", People.Anna), ("password", People.Password));
            _database.Clock.Advance(TimeSpan.FromMinutes(2)); // the user reads
            var consent = browser.Location.StartsWith("/auth/", StringComparison.Ordinal) ? await browser.SubmitAsync("authorize", ("decision", "allow")) : browser;
            Assert.NotNull(app.Returned(consent).Code);
        }
    }

    [Fact]
    public async Task AccountThatIsDisabled_EndsItsTokens()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var code = await app.CodeAsync(browser, "offline_access patient/*.rs");
        var answer = await app.RedeemAsync(code);
        Assert.Null((await _server.Authenticator.AuthenticateAsync($"Bearer {answer.AccessToken}", default)).Failure);

        await _server.Services.GetRequiredService<AccountDirectory>().ChangeAsync(_anna, account => { account.Status = AccountStatus.Disabled; return true; }, default);
        _database.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(401, (await _server.Authenticator.AuthenticateAsync($"Bearer {answer.AccessToken}", default)).Failure!.Status);
        Assert.Equal("invalid_grant", (await app.RefreshAsync(answer)).Error);
    }

    [Fact]
    public async Task Keys_AreReplacedBySchedule_AndTheOldOneServesItsTokensToTheirEnd()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var old = await app.LaunchAsync(browser, "openid offline_access patient/*.rs");
        var keys = _server.Services.GetRequiredService<ServerKeys>();
        var before = await KeyIdsAsync();
        _database.Clock.Advance(TimeSpan.FromDays(89.5)); // each step ends with what KeyRotation does every ten minutes
        await keys.LoadAsync(default);
        var announced = await KeyIdsAsync();
        Assert.Equal(new JsonWebToken(old.AccessToken).Kid, keys.Signing.KeyId);
        _database.Clock.Advance(TimeSpan.FromDays(1));
        await keys.LoadAsync(default);

        Assert.Equal(2, before.Count);
        Assert.Equal(4, announced.Count);
        Assert.Superset(before, announced);
        Assert.DoesNotContain(keys.Signing.KeyId, before);
        Assert.DoesNotContain(keys.IdTokenSigning.KeyId, before);
        await using var second = await TestServer.StartAsync(_database);
        Assert.Equal(keys.Signing.KeyId, second.Services.GetRequiredService<ServerKeys>().Signing.KeyId);
        using var later = new Browser(_server);
        var fresh = await app.LaunchAsync(later, "openid offline_access patient/*.rs");
        Assert.Equal(keys.Signing.KeyId, new JsonWebToken(fresh.AccessToken).Kid);
        Assert.Equal(keys.IdTokenSigning.KeyId, new JsonWebToken(fresh.Body.GetProperty("id_token").GetString()).Kid);
        Assert.Null((await second.Authenticator.AuthenticateAsync($"Bearer {fresh.AccessToken}", default)).Failure);
        _database.Clock.Advance(TimeSpan.FromDays(31));
        await keys.LoadAsync(default);
        Assert.DoesNotContain(new JsonWebToken(old.AccessToken).Kid, await KeyIdsAsync());
        Assert.Contains(keys.Signing.KeyId, await KeyIdsAsync());
    }

    private async Task<HashSet<string>> KeyIdsAsync() =>
        [.. new JsonWebKeySet(await _server.Http.GetStringAsync("/auth/jwks")).Keys.Select(key => key.Kid)];

    private async Task<Grant> GrantAsync(TokenAnswer answer) => (await _server.Authenticator.AuthenticateAsync($"Bearer {answer.AccessToken}", default)).Value;
}
