using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Authorization.Server;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Authorization.Tests.Server;

public sealed class TokenEndpointTests : IAsyncLifetime
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
    [InlineData(true)]
    [InlineData(false)]
    public async Task RightSecret_GivesATokenThatWorks(bool basic)
    {
        var answer = await _server.AskAsync(basic: basic);

        Assert.Equal(200, answer.Status);
        Assert.Equal("Bearer", answer.Body.GetProperty("token_type").GetString(), ignoreCase: true);
        Assert.Equal(JsonValueKind.Number, answer.Body.GetProperty("expires_in").ValueKind);
        Assert.Equal(300, answer.Body.GetProperty("expires_in").GetInt32());
        Assert.Equal("system/Patient.rs", answer.Scope);
        Assert.True(answer.Response.Headers.CacheControl?.NoStore);
        Assert.Contains("no-cache", answer.Response.Headers.Pragma.ToString(), StringComparison.Ordinal);
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType?.MediaType);
        using var call = await _server.CallAsync(answer.AccessToken);
        Assert.Equal(HttpStatusCode.OK, call.StatusCode);
        Assert.Equal(TestServer.ClientId, await call.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task AccessToken_IsASignedJwtForThisServer()
    {
        var jwt = new JsonWebToken(await _server.TokenAsync());

        Assert.Equal("at+jwt", jwt.Typ);
        Assert.Equal("ES256", jwt.Alg);
        Assert.Equal("https://clinic.example/auth", jwt.Issuer);
        Assert.Equal([TestServer.BaseUrl], jwt.Audiences);
        Assert.Equal(TestServer.ClientId, jwt.Subject);
        Assert.Equal(_database.Clock.GetUtcNow().UtcDateTime.AddMinutes(5), jwt.ValidTo);
        using var keys = JsonDocument.Parse(await _server.Http.GetStringAsync("/auth/jwks"));
        var key = Assert.Single(keys.RootElement.GetProperty("keys").EnumerateArray(), key => key.GetProperty("kid").GetString() == jwt.Kid);
        Assert.Equal("ES256", key.GetProperty("alg").GetString());
        Assert.False(key.TryGetProperty("d", out _), "the private part must not be there");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WrongSecretAndUnknownClient_AreOneAndTheSameRefusal(bool basic)
    {
        var wrong = await _server.AskAsync(secret: "incorrect-horse-battery", basic: basic);
        var unknown = await _server.AskAsync(clientId: "nobody", basic: basic);

        Assert.Equal((401, "invalid_client"), (wrong.Status, wrong.Error));
        Assert.Equal(wrong.Status, unknown.Status);
        Assert.Equal(wrong.Body.GetRawText(), unknown.Body.GetRawText());
        Assert.True(wrong.Response.Headers.CacheControl?.NoStore);
        Assert.False(wrong.Body.TryGetProperty("error_uri", out _));
        Assert.True(!basic || wrong.Response.Headers.WwwAuthenticate.Any(challenge => challenge.Scheme == "Basic"), "RFC 6749 5.2: the scheme the client used");
    }

    [Theory]
    [InlineData("")]
    [InlineData("system/Observation.rs")]
    [InlineData("system/Appointment")]
    [InlineData("system/Patient.sr")]
    [InlineData("system/Patient.x")]
    [InlineData("system/Foo.rs")]
    [InlineData("patient/Patient.rs")]
    [InlineData("user/*.cruds")]
    [InlineData("openid fhirUser launch offline_access")]
    public async Task NothingGrantable_IsInvalidScope(string scope)
    {
        var answer = await _server.AskAsync(scope);

        Assert.Equal((400, "invalid_scope"), (answer.Status, answer.Error));
    }

    [Theory]
    [InlineData("system/*.rs", "system/Patient.rs system/Appointment.rs")]
    [InlineData("system/Patient.cruds", "system/Patient.rs")]
    [InlineData("system/Patient.cruds?gender=female", "system/Patient.rs?gender=female")]
    [InlineData("system/Patient.read", "system/Patient.read")]
    [InlineData("system/Patient.*", "system/Patient.read")]
    [InlineData("system/Appointment.write", "system/Appointment.write")]
    [InlineData("openid system/Patient.s patient/Appointment.c", "system/Patient.s")]
    [InlineData("system/Appointment.cu system/Appointment.cu", "system/Appointment.cu")]
    public async Task Granted_IsWhatWasAskedForAndIsRegistered(string asked, string granted)
    {
        var answer = await _server.AskAsync(asked);

        Assert.Equal(200, answer.Status);
        Assert.Equal(granted.Split(' ').Order(), answer.Scope!.Split(' ').Order());
        Assert.Equal(answer.Scope, new JsonWebToken(answer.AccessToken).GetPayloadValue<string>("scope"));
    }

    [Theory]
    [InlineData("password")]
    [InlineData("urn:ietf:params:oauth:grant-type:device_code")]
    [InlineData("made_up")]
    public async Task OtherGrantTypes_AreUnsupported(string grantType)
    {
        var answer = await _server.AskAsync(grantType: grantType);

        Assert.Equal((400, "unsupported_grant_type"), (answer.Status, answer.Error));
    }

    [Fact]
    public async Task MissingParts_AreInvalidRequests()
    {
        var noGrant = await _server.AskAsync(new Dictionary<string, string> { ["client_id"] = "ehr", ["client_secret"] = TestServer.Secret });
        var noClient = await _server.AskAsync(new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["scope"] = "system/Patient.rs" });
        var noSecret = await _server.AskAsync(
            new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["scope"] = "system/Patient.rs", ["client_id"] = "ehr" });
        var assertion = await _server.AskAsync(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["scope"] = "system/Patient.rs",
            ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ["client_assertion"] = "e30.e30.",
        });

        Assert.Equal((400, "invalid_request"), (noGrant.Status, noGrant.Error));
        Assert.Contains(noClient.Error, new[] { "invalid_request", "invalid_client" });
        Assert.Contains(noSecret.Error, new[] { "invalid_request", "invalid_client" });
        Assert.InRange(assertion.Status, 400, 401);
    }

    [Fact]
    public async Task GetAndOtherBodies_AreRefused()
    {
        using var get = await _server.Http.GetAsync("/auth/token?grant_type=client_credentials");
        using var json = await _server.Http.PostAsync("/auth/token", new StringContent("{}", Encoding.UTF8, "application/json"));
        using var big = await _server.Http.PostAsync("/auth/token", new StringContent(new string('a', 100_000), Encoding.UTF8, "application/x-www-form-urlencoded"));

        Assert.Equal(HttpStatusCode.BadRequest, get.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, json.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, big.StatusCode);
    }

    [Theory]
    [InlineData("/auth/token", "https://app.example", "https://app.example")]
    [InlineData("/auth/introspect", "https://other.example", "https://other.example")]
    [InlineData("/auth/token", "https://evil.example", null)]
    [InlineData("/auth/token", "null", null)]
    [InlineData("/auth/jwks", "https://evil.example", "*")]
    [InlineData("/auth/.well-known/openid-configuration", "https://evil.example", "*")]
    [InlineData("/auth/authorize", "https://app.example", null)]
    [InlineData("/auth/sign-in", "https://app.example", null)]
    public async Task Browsers_MayCallFromPagesOfRegisteredApps(string path, string origin, string? allowed)
    {
        await _server.Clients.RegisterAsync(
            new ClientOptions { ClientId = "app", Scope = "patient/*.rs", RedirectUris = { "https://app.example/callback" }, Origins = { "https://other.example" } }, default);
        using var preflight = new HttpRequestMessage(HttpMethod.Options, path);
        preflight.Headers.Add("Origin", origin);
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        using var response = await _server.Http.SendAsync(preflight);
        using var call = new HttpRequestMessage(HttpMethod.Get, path);
        call.Headers.Add("Origin", origin);
        using var answer = await _server.Http.SendAsync(call);

        Assert.All(new[] { response, answer }, result =>
            Assert.Equal(allowed, result.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values.Single() : null));
    }

    [Fact]
    public async Task TenFailuresInAMinute_MakeTheClientWait()
    {
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, (await _server.AskAsync(secret: "incorrect-horse-battery")).Status);
        }
        var throttled = await _server.AskAsync();
        var other = await _server.AskAsync(clientId: "nobody");
        _database.Clock.Advance(TimeSpan.FromSeconds(61));
        var later = await _server.AskAsync();

        Assert.Equal(429, throttled.Status);
        Assert.NotNull(throttled.Error);
        Assert.InRange(throttled.Response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Equal(401, other.Status);
        Assert.Equal(200, later.Status);
    }

    [Fact]
    public async Task BasicCredentials_AreFormDecoded()
    {
        await _server.Clients.RegisterAsync("odd", "pass word+with/odd=signs", "system/Patient.rs", default);

        var header = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("odd:pass+word%2Bwith%2Fodd%3Dsigns")));
        var answer = await _server.AskAsync(new() { ["grant_type"] = "client_credentials", ["scope"] = "system/Patient.rs" }, header);

        Assert.Equal(200, answer.Status);
    }

    [Fact]
    public async Task FhirRequests_DoNotMeetOpenIddict()
    {
        using var call = await _server.CallAsync(await _server.TokenAsync());
        using var unknown = await _server.Http.GetAsync("/auth/nothing-here");

        Assert.Equal("False", call.Headers.GetValues("X-OpenIddict-Ran").Single());
        Assert.Equal("True", unknown.Headers.GetValues("X-OpenIddict-Ran").Single());
    }
}
