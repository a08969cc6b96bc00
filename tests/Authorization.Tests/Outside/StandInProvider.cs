using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using Authorization.Tests.Clients;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Tests.Outside;

/// <summary>An OpenID provider whose every answer a test can change. Its user signs in at once.</summary>
internal sealed class StandInProvider : IAsyncDisposable
{
    public const string ClientId = "clinic";
    public const string Secret = "a secret: with/odd+letters";

    private readonly WebApplication _web;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge, string Redirect)> _codes = new();
    private int _redemptions;

    private StandInProvider(WebApplication web, TimeProvider clock)
    {
        _web = web;
        _clock = clock;
        Issuer = web.Urls.First();
    }

    public Signer Key { get; } = new("RS256");

    public string Issuer { get; }

    public string Authority => new Uri(Issuer).Authority;

    /// <summary>Claims of its user beside those that every id token has.</summary>
    public JsonObject User { get; set; } = new() { ["sub"] = "u-1", ["name"] = "Doris Dent" };

    /// <summary>Makes the next tokens wrong.</summary>
    public Action<JsonObject, JsonObject>? Change { get; set; }

    /// <summary>In place of the signed token.</summary>
    public Func<JsonObject, JsonObject, string>? Sign { get; set; }

    public Action<JsonObject>? ChangeAnswer { get; set; }

    public Action<JsonObject>? ChangeDocument { get; set; }

    public int TokenStatus { get; set; } = 200;

    public int DocumentStatus { get; set; } = 200;

    /// <summary>How often a code was brought.</summary>
    public int Redemptions => Volatile.Read(ref _redemptions);

    public int Discoveries { get; private set; }

    /// <summary>What was asked for last.</summary>
    public System.Collections.Specialized.NameValueCollection Asked { get; private set; } = [];

    public static async Task<StandInProvider> StartAsync(TimeProvider clock)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var web = builder.Build();
        web.Urls.Add("http://127.0.0.1:0");
        StandInProvider? provider = null;
        web.MapGet("/.well-known/openid-configuration", context => provider!.DiscoverAsync(context));
        web.MapGet("/keys", context => context.Response.WriteAsync(Signer.KeySet(provider!.Key.PublicKey())));
        web.MapPost("/token", context => provider!.RedeemAsync(context));
        await web.StartAsync();
        return provider = new(web, clock);
    }

    public (string Key, string? Value)[] Settings(params (string Key, string? Value)[] more) =>
    [
        ("Auth:ExternalProviders:0:Name", "hospital"), ("Auth:ExternalProviders:0:Title", "Lakeside Hospital"), ("Auth:ExternalProviders:0:Issuer", Issuer),
        ("Auth:ExternalProviders:0:ClientId", ClientId), ("Auth:ExternalProviders:0:ClientSecret", Secret), ("Auth:AllowedPrivateEndpoints:0", Authority),
        .. more.Select(setting => ($"Auth:ExternalProviders:0:{setting.Key}", setting.Value)),
    ];

    /// <summary>The user signs in where the browser was sent to.</summary>
    /// <returns>Path and query that the browser comes back with.</returns>
    public string SignIn(string address, Func<string, string>? change = null)
    {
        Assert.StartsWith(Issuer + "/authorize?", address, StringComparison.Ordinal);
        var asked = Asked = HttpUtility.ParseQueryString(new Uri(address).Query);
        Assert.Equal(("code", ClientId, "S256"), (asked["response_type"], asked["client_id"], asked["code_challenge_method"]));
        Assert.Contains("openid", asked["scope"]!.Split(' '));
        Assert.Equal("https://clinic.example/auth/outside/hospital/return", asked["redirect_uri"]);
        var code = Guid.NewGuid().ToString("N");
        _codes[code] = (asked["nonce"]!, asked["code_challenge"]!, asked["redirect_uri"]!);
        var query = $"?code={code}&state={Uri.EscapeDataString(asked["state"]!)}&iss={Uri.EscapeDataString(Issuer)}";
        return new Uri(asked["redirect_uri"]!).AbsolutePath + (change is null ? query : change(query));
    }

    public string LogoutToken(Action<JsonObject, JsonObject>? change = null)
    {
        var header = new JsonObject { ["alg"] = "RS256", ["kid"] = Key.KeyId, ["typ"] = "logout+jwt" };
        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Issuer, ["aud"] = ClientId, ["iat"] = now, ["exp"] = now + 120, ["jti"] = Guid.NewGuid().ToString("N"), ["sub"] = (string)User["sub"]!,
            ["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() },
        };
        change?.Invoke(header, claims);
        return Key.Sign(header, claims);
    }

    public async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        Key.Dispose();
    }

    private Task DiscoverAsync(HttpContext context)
    {
        Discoveries++;
        context.Response.StatusCode = DocumentStatus;
        context.Response.Headers.CacheControl = "max-age=60";
        var document = new JsonObject
        {
            ["issuer"] = Issuer, ["authorization_endpoint"] = Issuer + "/authorize", ["token_endpoint"] = Issuer + "/token", ["jwks_uri"] = Issuer + "/keys",
            ["end_session_endpoint"] = Issuer + "/bye", ["authorization_response_iss_parameter_supported"] = true,
        };
        ChangeDocument?.Invoke(document);
        return context.Response.WriteAsync(document.ToJsonString());
    }

    private async Task RedeemAsync(HttpContext context)
    {
        Interlocked.Increment(ref _redemptions);
        var form = await context.Request.ReadFormAsync();
        var basic = Encoding.UTF8.GetString(Convert.FromBase64String(context.Request.Headers.Authorization.ToString()["Basic ".Length..]));
        if (basic != $"{ClientId}:{Uri.EscapeDataString(Secret)}" || form["grant_type"] != "authorization_code" || !_codes.TryRemove(form["code"].ToString(), out var asked)
            || asked.Redirect != form["redirect_uri"] || Base64UrlEncoder.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != asked.Challenge)
        {
            context.Response.StatusCode = 400;
            return;
        }
        context.Response.StatusCode = TokenStatus;
        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        var header = new JsonObject { ["alg"] = "RS256", ["kid"] = Key.KeyId, ["typ"] = "JWT" };
        var claims = (JsonObject)User.DeepClone();
        (claims["iss"], claims["aud"], claims["iat"], claims["exp"], claims["nonce"]) = (Issuer, ClientId, now, now + 300, asked.Nonce);
        Change?.Invoke(header, claims);
        var answer = new JsonObject { ["token_type"] = "Bearer", ["access_token"] = "their-token", ["id_token"] = Sign is null ? Key.Sign(header, claims) : Sign(header, claims) };
        ChangeAnswer?.Invoke(answer);
        await context.Response.WriteAsync(answer.ToJsonString());
    }
}
