using System.Text.Json.Nodes;
using Authorization.Records;
using Authorization.Server;
using FhirCore.Records;
using Microsoft.Extensions.DependencyInjection;

namespace Authorization.Tests.Clients;

/// <summary>https://hl7.org/fhir/smart-app-launch/backend-services.html: what is accepted, and each way to be refused.</summary>
public sealed class BackendServicesTests : IAsyncLifetime
{
    private const string Backend = "backend";
    private readonly Database _database = new();
    private readonly Signer _signer = new("ES384");
    private readonly Signer _other = new("ES384", "key-2");
    private readonly Signer _rsa = new("RS384", "key-3");
    private readonly Signer _twin = new("ES384", "twice");
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(_database);
        var symmetric = new JsonObject { ["kty"] = "oct", ["kid"] = "oct" };
        var keys = Signer.KeySet(_signer.PublicKey(), _rsa.PublicKey(), _twin.PublicKey(), _other.PublicKey("twice"), symmetric);
        Assert.Null(await _server.Clients.RegisterAsync(new ClientOptions { ClientId = Backend, Jwks = keys, Scope = "system/Patient.rs system/Observation.rs" }, default));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
        _signer.Dispose();
        _other.Dispose();
        _rsa.Dispose();
        _twin.Dispose();
    }

    [Theory]
    [InlineData("RS384")]
    [InlineData("ES384")]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public async Task Algorithm_IsAccepted_AndTheTokenWorks(string algorithm)
    {
        using var signer = new Signer(algorithm);
        await _server.Clients.RegisterAsync(new ClientOptions { ClientId = "other", Jwks = Signer.KeySet(signer.PublicKey()), Scope = "system/Patient.rs" }, default);

        var answer = await _server.AskAsync(Signer.Form(signer.Sign(signer.Header(), Signer.Claims("other", Now))));

        Assert.Equal(200, answer.Status);
        Assert.Equal("system/Patient.rs", answer.Scope);
        Assert.Equal(300, answer.Body.GetProperty("expires_in").GetInt32());
        Assert.False(answer.Body.TryGetProperty("refresh_token", out _));
        using var call = await _server.CallAsync(answer.AccessToken);
        Assert.Equal("other", await call.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Audience_MayBeTheIssuer_AndTheClientIdMayBeThereToo()
    {
        var claims = Signer.Claims(Backend, Now, "https://clinic.example/auth");

        Assert.Equal(200, (await _server.AskAsync(Signer.Form(_signer.Sign(_signer.Header(), claims), clientId: Backend))).Status);
    }

    public static TheoryData<string> Wrongs =>
    [
        "other aud", "aud of another host", "no aud", "several aud", "iss is not sub", "unknown client", "no iss", "no sub", "client_id of another",
        "no jti", "empty jti", "number jti", "expired", "no exp", "exp too far", "text exp", "nbf ahead", "iat ahead",
        "no kid", "unknown kid", "kid of two", "kid of a symmetric key", "kid of another kty", "no typ", "other typ", "crit",
        "alg none", "alg HS256", "alg PS384", "alg RS384 on EC", "signed by another", "one bit off", "no signature", "not a jwt", "duplicate claim",
        "jku not registered", "client with a secret",
    ];

    [Theory]
    [MemberData(nameof(Wrongs))]
    public async Task AnyPartThatIsWrong_IsInvalidClient_AndNothingIsUsedUp(string wrong)
    {
        var (header, claims, signer) = (_signer.Header(), Signer.Claims(Backend, Now), _signer);
        string? clientId = null;
        switch (wrong)
        {
            case "other aud": claims["aud"] = "https://clinic.example/fhir"; break;
            case "aud of another host": claims["aud"] = "https://evil.example/auth/token"; break;
            case "no aud": claims.Remove("aud"); break;
            case "several aud": claims["aud"] = new JsonArray("https://clinic.example/auth/token", "https://evil.example/auth/token"); break;
            case "iss is not sub": claims["sub"] = TestServer.ClientId; break;
            case "unknown client": (claims["iss"], claims["sub"]) = ("nobody", "nobody"); break;
            case "no iss": claims.Remove("iss"); break;
            case "no sub": claims.Remove("sub"); break;
            case "client_id of another": clientId = TestServer.ClientId; break;
            case "no jti": claims.Remove("jti"); break;
            case "empty jti": claims["jti"] = ""; break;
            case "number jti": claims["jti"] = 5; break;
            case "expired": claims["exp"] = Now.ToUnixTimeSeconds(); break;
            case "no exp": claims.Remove("exp"); break;
            case "exp too far": claims["exp"] = Now.AddMinutes(5).AddSeconds(6).ToUnixTimeSeconds(); break;
            case "text exp": claims["exp"] = Now.AddMinutes(4).ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture); break;
            case "nbf ahead": claims["nbf"] = Now.AddMinutes(1).ToUnixTimeSeconds(); break;
            case "iat ahead": claims["iat"] = Now.AddMinutes(1).ToUnixTimeSeconds(); break;
            case "no kid": header.Remove("kid"); break;
            case "unknown kid": header["kid"] = "none-such"; break;
            case "kid of two": header["kid"] = "twice"; signer = _twin; break;
            case "kid of a symmetric key": header["kid"] = "oct"; break;
            case "kid of another kty": header["kid"] = "key-3"; break;
            case "no typ": header.Remove("typ"); break;
            case "other typ": header["typ"] = "at+jwt"; break;
            case "crit": header["crit"] = new JsonArray("exp"); break;
            case "alg none" or "no signature": header["alg"] = wrong == "alg none" ? "none" : "ES384"; break;
            case "alg HS256": header["alg"] = "HS256"; break;
            case "alg PS384": header["alg"] = "PS384"; break;
            case "alg RS384 on EC": header["alg"] = "RS384"; break;
            case "signed by another": signer = _other; break;
            case "jku not registered": header["jku"] = "https://evil.example/jwks"; break;
            case "client with a secret": (claims["iss"], claims["sub"]) = (TestServer.ClientId, TestServer.ClientId); break;
        }
        var assertion = wrong switch
        {
            "alg none" or "no signature" => $"{Signer.Encode(header)}.{Signer.Encode(claims)}.",
            "one bit off" => Flip(signer.Sign(header, claims)),
            "not a jwt" => "rubbish",
            "duplicate claim" => Duplicate(signer, header, claims),
            _ => signer.Sign(header, claims),
        };

        var answer = await _server.AskAsync(Signer.Form(assertion, clientId: clientId));

        Assert.Equal("invalid_client", answer.Error);
        Assert.InRange(answer.Status, 400, 401);
        Assert.Equal(0, await _database.Store.CountAsync(OneTimeValues.RecordType, Predicate.Everything, 10, default));
        Assert.Equal(200, (await _server.AskAsync(Signer.Form(_signer.Sign(_signer.Header(), Signer.Claims(Backend, Now))))).Status);
    }

    [Fact]
    public async Task Replay_IsRefusedInEveryProcess_AndForgottenWhenItHasExpired()
    {
        await using var second = await TestServer.StartAsync(_database);
        var assertion = _signer.Sign(_signer.Header(), Signer.Claims(Backend, Now));

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => (i % 2 == 0 ? _server : second).AskAsync(Signer.Form(assertion))));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.All(answers.Where(answer => answer.Status != 200), answer => Assert.Contains(answer.Error, new[] { "invalid_client", "slow_down" }));
        _database.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("invalid_client", (await _server.AskAsync(Signer.Form(assertion))).Error);
        await _server.Services.GetRequiredService<TokenSweep>().RunOnceAsync(default);
        Assert.Equal(0, await _database.Store.CountAsync(OneTimeValues.RecordType, Predicate.Everything, 10, default));
    }

    [Theory]
    [InlineData("client_assertion_type", "urn:something:else", "invalid_client")]
    [InlineData("client_assertion_type", null, "invalid_request")]
    [InlineData("client_assertion", null, "invalid_request")]
    [InlineData("grant_type", "password", "unsupported_grant_type")]
    [InlineData("grant_type", null, "invalid_request")]
    [InlineData("scope", null, "invalid_scope")]
    [InlineData("scope", "system/Foo.rs", "invalid_scope")]
    [InlineData("scope", "system/Patient.x", "invalid_scope")]
    [InlineData("scope", "system/Patient.cud", "invalid_scope")]
    public async Task ParameterMissingOrWrong_HasItsError(string name, string? value, string error)
    {
        var form = Signer.Form(_signer.Sign(_signer.Header(), Signer.Claims(Backend, Now)));
        form.Remove(name);
        if (value is not null)
        {
            form[name] = value;
        }

        var answer = await _server.AskAsync(form);

        Assert.Equal(error, answer.Error);
        Assert.True(answer.Status is 400 || (answer.Status is 401 && error == "invalid_client"), answer.Body.GetRawText());
    }

    [Fact]
    public async Task Secret_OfAClientWithKeys_IsNoWayIn() =>
        Assert.Equal("invalid_client", (await _server.AskAsync(clientId: Backend, secret: "correct-horse-battery")).Error);

    [Fact]
    public async Task ClientThatFailsTooOften_WaitsLikeAnyOther()
    {
        for (var i = 0; i < 10; i++)
        {
            await _server.AskAsync(Signer.Form(_other.Sign(_signer.Header(), Signer.Claims(Backend, Now))));
        }

        var answer = await _server.AskAsync(Signer.Form(_signer.Sign(_signer.Header(), Signer.Claims(Backend, Now))));

        Assert.Equal((429, "slow_down"), (answer.Status, answer.Error));
        Assert.NotNull(answer.Response.Headers.RetryAfter);
    }

    private DateTimeOffset Now => _database.Clock.GetUtcNow();

    private static string Flip(string jwt) => jwt[..^4] + (jwt[^4] == 'A' ? 'B' : 'A') + jwt[^3..];

    private static string Duplicate(Signer signer, JsonObject header, JsonObject claims)
    {
        _ = signer;
        var text = claims.ToJsonString().Insert(1, "\"iss\":\"nobody\",");
        return $"{Signer.Encode(header)}.{Microsoft.IdentityModel.Tokens.Base64UrlEncoder.Encode(text)}.AAAA";
    }
}
