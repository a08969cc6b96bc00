using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Web;
using Authorization.Server;
using Authorization.Tests.Pages;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Tests.Launch;

/// <summary>An app that launches as SMART says, and can be told to do it wrong.</summary>
public sealed class SmartApp(TestServer server, string id = "app", string? secret = null, string redirect = "https://app.example/callback")
{
    public const string Everything =
        "openid fhirUser launch launch/patient offline_access online_access patient/*.rs patient/Observation.cruds patient/Condition.rs patient/Patient.read user/*.cruds user/Patient.read";

    private readonly string _verifier = Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(32));

    public string Id => id;

    public string Redirect => redirect;

    public string Verifier => _verifier;

    public string State { get; } = Guid.NewGuid().ToString("N");

    public async Task<SmartApp> RegisterAsync(string scope = Everything, Action<ClientOptions>? more = null)
    {
        var options = new ClientOptions { ClientId = id, ClientSecret = secret ?? "", Name = "Good App", Scope = scope, RedirectUris = { redirect }, PostLogoutRedirectUris = { "https://app.example/bye" }, LaunchUrl = "https://app.example/launch" };
        more?.Invoke(options);
        Assert.Null(await server.Clients.RegisterAsync(options, default));
        return this;
    }

    public Dictionary<string, string> Parameters(string scope, params (string Name, string? Value)[] changes)
    {
        var parameters = new Dictionary<string, string>
        {
            ["response_type"] = "code", ["client_id"] = id, ["redirect_uri"] = redirect, ["scope"] = scope, ["state"] = State, ["aud"] = TestServer.BaseUrl,
            ["code_challenge"] = Base64UrlEncoder.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(_verifier))), ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                parameters.Remove(name);
            }
            else
            {
                parameters[name] = value;
            }
        }
        return parameters;
    }

    public string Authorize(string scope, params (string Name, string? Value)[] changes) =>
        "/auth/authorize?" + string.Join('&', Parameters(scope, changes).Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}"));

    /// <summary>What the browser brings back to the app.</summary>
    public (string? Code, string? Error) Returned(Browser browser)
    {
        Assert.StartsWith(redirect + "?", browser.Location, StringComparison.Ordinal);
        var query = HttpUtility.ParseQueryString(new Uri(browser.Location).Query);
        Assert.Equal(State, query["state"]);
        Assert.Equal("https://clinic.example/auth", query["iss"]);
        Assert.True(query["code"] is null != query["error"] is null);
        return (query["code"], query["error"]);
    }

    /// <summary>From sign-in to a code, everything allowed.</summary>
    public async Task<string> CodeAsync(Browser browser, string scope, params (string Name, string? Value)[] changes)
    {
        await browser.GoAsync(Authorize(scope, changes));
        if (browser.Location.StartsWith("/auth/sign-in", StringComparison.Ordinal))
        {
            await browser.SubmitAsync("sign-in", ("username", People.Anna), ("password", People.Password));
        }
        if (browser.Location.StartsWith("/auth/", StringComparison.Ordinal))
        {
            await browser.SubmitAsync("authorize", ("decision", "allow"));
        }
        var (code, error) = Returned(browser);
        Assert.Null(error);
        return code!;
    }

    public Task<TokenAnswer> RedeemAsync(string code, params (string Name, string? Value)[] changes) => AskAsync(
        new() { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = redirect, ["code_verifier"] = _verifier, ["client_id"] = id }, changes);

    public Task<TokenAnswer> RefreshAsync(TokenAnswer answer, params (string Name, string? Value)[] changes) => AskAsync(
        new() { ["grant_type"] = "refresh_token", ["refresh_token"] = answer.Body.GetProperty("refresh_token").GetString()!, ["client_id"] = id }, changes);

    public async Task<TokenAnswer> LaunchAsync(Browser browser, string scope, params (string Name, string? Value)[] changes)
    {
        var answer = await RedeemAsync(await CodeAsync(browser, scope, changes));
        Assert.True(answer.Status == 200, answer.Body.GetRawText());
        return answer;
    }

    private Task<TokenAnswer> AskAsync(Dictionary<string, string> form, (string Name, string? Value)[] changes)
    {
        AuthenticationHeaderValue? header = null;
        if (secret is not null)
        {
            form.Remove("client_id");
            header = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{id}:{secret}")));
        }
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                form.Remove(name);
            }
            else
            {
                form[name] = value;
            }
        }
        return server.AskAsync(form, header);
    }
}
