using System.Net;
using System.Security.Cryptography;
using System.Text;
using Authorization.Keys;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Tests.Tokens;

/// <summary>Forged, foreign, altered and stale tokens, each against the real server.</summary>
public sealed class TokenAuthenticatorTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private TestServer _server = null!;

    private ECDsaSecurityKey ServerKey => _server.Services.GetRequiredService<ServerKeys>().Signing;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync(_database);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact] // the forgeries below differ from this one in a single point
    public async Task SignedByTheServersKey_RightInAllPoints_IsAccepted() => await AcceptedAsync(Forge());

    [Fact]
    public async Task NoToken_IsAskedForOneWithoutErrorCode()
    {
        using var call = await _server.CallAsync(null);

        Assert.Equal(HttpStatusCode.Unauthorized, call.StatusCode);
        Assert.Equal("Bearer realm=\"fhir\"", call.Headers.WwwAuthenticate.ToString());
        Assert.Contains("https://clinic.example/auth/token", await call.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SchemeInAnyCase_IsAccepted_OtherSchemesAreNot()
    {
        var token = await _server.TokenAsync();

        Assert.Null((await _server.Authenticator.AuthenticateAsync($"bearer {token}", default)).Failure);
        Assert.Null((await _server.Authenticator.AuthenticateAsync($"BEARER  {token} ", default)).Failure);
        Assert.Equal(401, (await _server.Authenticator.AuthenticateAsync($"Basic {token}", default)).Failure!.Status);
        Assert.Equal(401, (await _server.Authenticator.AuthenticateAsync("Bearer", default)).Failure!.Status);
        Assert.Equal(401, (await _server.Authenticator.AuthenticateAsync("Bearer ", default)).Failure!.Status);
        Assert.Equal(401, (await _server.Authenticator.AuthenticateAsync($"Bearer {token}, Bearer {token}", default)).Failure!.Status);
    }

    [Fact]
    public async Task AlgorithmNone_IsRefused()
    {
        var payload = Forge().Split('.')[1];
        var header = Base64UrlEncoder.Encode("""{"alg":"none","typ":"at+jwt"}""");

        await RefusedAsync($"{header}.{payload}.");
        await RefusedAsync($"{header}.{payload}.{Forge().Split('.')[2]}");
    }

    [Fact]
    public async Task PublicKeyAsHmacSecret_IsRefused()
    {
        var publicKey = ServerKey.ECDsa.ExportSubjectPublicKeyInfo();
        foreach (var secret in new[] { publicKey, Encoding.ASCII.GetBytes(PemEncoding.Write("PUBLIC KEY", publicKey)) })
        {
            await RefusedAsync(Forge(credentials: new(new SymmetricSecurityKey(secret) { KeyId = ServerKey.KeyId }, SecurityAlgorithms.HmacSha256)));
        }
    }

    [Fact]
    public async Task KeyOfSomeoneElse_IsRefused_WhateverIdItHas()
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        foreach (var kid in new[] { ServerKey.KeyId, "another", null })
        {
            await RefusedAsync(Forge(credentials: new(new ECDsaSecurityKey(own) { KeyId = kid }, SecurityAlgorithms.EcdsaSha256)));
        }
    }

    [Fact]
    public async Task KeyInTheHeader_IsNotUsed()
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var jwk = JsonWebKeyConverter.ConvertFromECDsaSecurityKey(new ECDsaSecurityKey(own));
        var header = Base64UrlEncoder.Encode($$"""{"alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"{{jwk.X}}","y":"{{jwk.Y}}"},"typ":"at+jwt"}""");
        var signed = $"{header}.{Forge().Split('.')[1]}";

        await RefusedAsync($"{signed}.{Base64UrlEncoder.Encode(own.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}");
    }

    [Theory]
    [InlineData("https://clinic.example")]
    [InlineData("https://clinic.example/auth/")]
    [InlineData("https://evil.example/auth")]
    [InlineData(null)]
    public async Task AnotherIssuer_IsRefused(string? issuer) => await RefusedAsync(Forge(issuer: issuer));

    [Theory]
    [InlineData("https://other.example/fhir")]
    [InlineData("https://clinic.example/fhir/Patient")]
    [InlineData("HTTPS://CLINIC.EXAMPLE/FHIR")]
    [InlineData(null)]
    public async Task AnotherAudience_IsRefused(string? audience) => await RefusedAsync(Forge(audience: audience));

    [Theory]
    [InlineData("JWT")]
    [InlineData("id_token+jwt")]
    [InlineData("")]
    public async Task AnotherType_IsRefused(string type) => await RefusedAsync(Forge(type: type));

    [Fact]
    public async Task MissingClaims_AreRefused()
    {
        await RefusedAsync(Forge(clientId: null));
        await RefusedAsync(Forge(scope: null));
        await RefusedAsync(Forge(withExpiry: false));
        await RefusedAsync(Forge(clientId: "never-registered"));
    }

    [Fact]
    public async Task Expired_IsRefused_AlsoFromTheCache()
    {
        var token = await _server.TokenAsync();
        await AcceptedAsync(token);
        _database.Clock.Advance(TimeSpan.FromSeconds(299));
        await AcceptedAsync(token);
        _database.Clock.Advance(TimeSpan.FromSeconds(1));
        await RefusedAsync(token, "has expired");
    }

    [Fact]
    public async Task NotYetValid_IsRefused() => await RefusedAsync(Forge(notBefore: TimeSpan.FromMinutes(2)), "not valid at this time");

    [Fact]
    public async Task AnyPartCutOrChanged_IsRefused()
    {
        var token = await _server.TokenAsync();
        var parts = token.Split('.');
        var widened = Base64UrlEncoder.Encode(Base64UrlEncoder.Decode(parts[1]).Replace("system/Patient.rs", "system/*.cruds", StringComparison.Ordinal));

        await RefusedAsync($"{parts[0]}.{widened}.{parts[2]}");
        await RefusedAsync($"{parts[0]}.{parts[1]}");
        await RefusedAsync($"{parts[0]}.{parts[1]}.");
        await RefusedAsync($"{token}.{parts[2]}");
        await RefusedAsync($"{token}.a.b");
        for (var length = 1; length < token.Length; length += 37)
        {
            await RefusedAsync(token[..length]);
        }
    }

    [Theory]
    [InlineData("a")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("....")]
    [InlineData("e30.e30.e30")]
    [InlineData("%00")]
    [InlineData("[]")]
    public async Task Garbage_IsRefused(string token) => await RefusedAsync(token);

    [Fact]
    public async Task HugeAndNonAsciiTokens_AreRefusedUnread()
    {
        foreach (var token in new[] { new string('a', 9_000), new string('.', 8_000), await _server.TokenAsync() + "é" })
        {
            var failure = (await _server.Authenticator.AuthenticateAsync($"Bearer {token}", default)).Failure!;
            Assert.Equal((401, "invalid_token"), (failure.Status, failure.Issues[0].Detail));
        }
        Assert.Equal(0, _server.Authenticator.CachedCount);
    }

    [Fact]
    public async Task RemovedClient_IsRefusedWithinTheMinute()
    {
        await _server.Clients.RegisterAsync("short-lived", "sixteen-characters", "system/Patient.rs", default);
        var token = (await _server.AskAsync(clientId: "short-lived", secret: "sixteen-characters")).AccessToken;
        await AcceptedAsync(token);

        Assert.True(await _server.Clients.RemoveAsync("short-lived", default));
        Assert.Equal("invalid_client", (await _server.AskAsync(clientId: "short-lived", secret: "sixteen-characters")).Error);
        _database.Clock.Advance(TimeSpan.FromMinutes(1));
        await RefusedAsync(token, "no longer registered");
    }

    private async Task AcceptedAsync(string token)
    {
        using var call = await _server.CallAsync(token);
        Assert.Equal(HttpStatusCode.OK, call.StatusCode);
    }

    private async Task RefusedAsync(string token, string reason = "is not")
    {
        using var call = await _server.CallAsync(token);
        Assert.Equal(HttpStatusCode.Unauthorized, call.StatusCode);
        Assert.Equal("Bearer realm=\"fhir\", error=\"invalid_token\"", call.Headers.WwwAuthenticate.ToString());
        if (reason != "is not")
        {
            Assert.Contains(reason, await call.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    private string Forge(
        string? issuer = "https://clinic.example/auth", string? audience = TestServer.BaseUrl, string type = "at+jwt", string? clientId = TestServer.ClientId,
        string? scope = "system/*.cruds", bool withExpiry = true, TimeSpan notBefore = default, SigningCredentials? credentials = null)
    {
        var now = _database.Clock.GetUtcNow().UtcDateTime;
        var claims = new Dictionary<string, object>();
        if (clientId is not null)
        {
            claims["client_id"] = clientId;
            claims["sub"] = clientId;
        }
        if (scope is not null)
        {
            claims["scope"] = scope;
        }
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            TokenType = type,
            Claims = claims,
            NotBefore = notBefore == default ? null : now + notBefore,
            Expires = withExpiry ? now.AddMinutes(5) : null,
            SigningCredentials = credentials ?? new(ServerKey, SecurityAlgorithms.EcdsaSha256),
        });
    }
}
