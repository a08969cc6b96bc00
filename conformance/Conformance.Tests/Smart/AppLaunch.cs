using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using AngleSharp.Html.Dom;

namespace Conformance.Tests.Smart;

/// <summary>One launch of an app by one user, step by step: https://hl7.org/fhir/smart-app-launch/app-launch.html.</summary>
internal sealed class AppLaunch(SmartServer server, string clientId) : IDisposable
{
    private readonly string _verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(48));

    public WebVisitor Visitor { get; } = server.Visitor();

    public string State { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The parameters of the authorize request, to be changed before it is sent.</summary>
    public Dictionary<string, string> Request { get; } = new(StringComparer.Ordinal);

    public AppLaunch Ask(string scope, string? launch = null)
    {
        Request["response_type"] = "code";
        Request["client_id"] = clientId;
        Request["redirect_uri"] = SmartServer.Redirect;
        Request["scope"] = scope;
        Request["state"] = State;
        Request["aud"] = server.Audience;
        Request["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(_verifier)));
        Request["code_challenge_method"] = "S256";
        if (launch is not null)
        {
            Request["launch"] = launch;
        }
        return this;
    }

    /// <summary>By GET, as most apps do.</summary>
    public Task SendAsync() => Visitor.GoAsync((string)server.Discovery["authorization_endpoint"]! + "?" + string.Join('&', Request.Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value)}")));

    public Task SendByPostAsync() => Visitor.PostAsync((string)server.Discovery["authorization_endpoint"]!, [.. Request.Select(pair => (pair.Key, pair.Value))]);

    /// <summary>Signs in, picks the patient and agrees to everything that is left ticked.</summary>
    /// <param name="withheld">Boxes of the consent page to untick: <c>name=value</c>.</param>
    /// <param name="patient">Name of whom to pick where a page asks.</param>
    public async Task AgreeAsync(DemoUser user, string[]? withheld = null, string? patient = null)
    {
        if (Visitor.Has("password"))
        {
            await Visitor.SubmitAsync(null, ("username", user.UserName), ("password", user.Password));
        }
        if (Visitor.LeftFor is null && Visitor.Has("find-name"))
        {
            await Visitor.SubmitAsync("find", ("find-name", patient ?? throw new InvalidOperationException("A page asks for the patient.")));
            await Visitor.SubmitAsync("patient");
        }
        if (Visitor.LeftFor is null)
        {
            await Visitor.SubmitAsync("allow", withheld ?? []);
        }
    }

    /// <summary>The part of the consent page that is about a scope.</summary>
    public IReadOnlyList<IHtmlInputElement> BoxesOf(string scope) =>
        [.. Visitor.Page.QuerySelectorAll("fieldset").Single(set => set.QuerySelector("code")?.TextContent == scope).QuerySelectorAll("input[type=checkbox]").OfType<IHtmlInputElement>()];

    /// <summary>What came back to the app.</summary>
    public IReadOnlyDictionary<string, string> Answer()
    {
        Assert.True(Visitor.LeftFor is not null, $"{Visitor.Address.AbsolutePath} answered {(int)Visitor.Status}: {Visitor.Page.Body?.TextContent}");
        Assert.StartsWith(SmartServer.Redirect + "?", Visitor.LeftFor.AbsoluteUri, StringComparison.Ordinal);
        var query = HttpUtility.ParseQueryString(Visitor.LeftFor.Query);
        return query.AllKeys.OfType<string>().ToDictionary(key => key, key => query[key]!, StringComparer.Ordinal);
    }

    public string Code()
    {
        var answer = Answer();
        Assert.True(answer.ContainsKey("code"), string.Join(' ', answer));
        Assert.Equal(State, answer["state"]);
        return answer["code"];
    }

    /// <summary>The whole way to a token response.</summary>
    public async Task<Answer> FinishAsync(DemoUser user, string[]? withheld = null, string? patient = null)
    {
        await SendAsync();
        await AgreeAsync(user, withheld, patient);
        return await RedeemAsync(Code());
    }

    public Task<Answer> RedeemAsync(string code, Action<Dictionary<string, string>>? change = null)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = SmartServer.Redirect, ["code_verifier"] = _verifier,
        };
        change?.Invoke(form);
        return TokenRequests.SendAsync(server, clientId, form);
    }

    public Task<Answer> RefreshAsync(string refreshToken, string? scope = null)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal) { ["grant_type"] = "refresh_token", ["refresh_token"] = refreshToken };
        if (scope is not null)
        {
            form["scope"] = scope;
        }
        return TokenRequests.SendAsync(server, clientId, form);
    }

    public void Dispose() => Visitor.Dispose();
}

/// <summary>Token requests, each client proving itself in its own way.</summary>
internal static class TokenRequests
{
    public const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    public static Task<Answer> SendAsync(SmartServer server, string clientId, Dictionary<string, string> form, string? endpoint = null)
    {
        AuthenticationHeaderValue? basic = null;
        switch (clientId)
        {
            case SmartServer.PublicApp:
                form.TryAdd("client_id", clientId);
                break;
            case SmartServer.SecretApp or SmartServer.Ehr:
                basic = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{clientId}:{SmartServer.Secret}")));
                break;
            default:
                form.TryAdd("client_assertion_type", AssertionType);
                form.TryAdd("client_assertion", (clientId == SmartServer.BackendByUrl ? server.RsaKey : server.EcKey).Assertion(clientId, server.TokenEndpoint));
                break;
        }
        return PostAsync(server, endpoint ?? server.TokenEndpoint, form, basic);
    }

    public static async Task<Answer> PostAsync(SmartServer server, string endpoint, IEnumerable<KeyValuePair<string, string>> form, AuthenticationHeaderValue? authorization = null, string? origin = null)
    {
        List<(string, string)> headers = [("Accept", "application/json")];
        if (authorization is not null)
        {
            headers.Add(("Authorization", authorization.ToString()));
        }
        if (origin is not null)
        {
            headers.Add(("Origin", origin));
        }
        return await ServerUnderTest.SendAsync(server.Http, HttpMethod.Post, endpoint, new FormUrlEncodedContent(form), [.. headers]);
    }

    public static Task<Answer> ReadAsync(SmartServer server, string token, string path, params (string Name, string Value)[] headers) =>
        ServerUnderTest.SendAsync(server.Http, HttpMethod.Get, path, null, [("Authorization", "Bearer " + token), .. headers]);

    public static string Text(this Answer answer, string member) => (string?)answer.Body![member] ?? throw new InvalidOperationException($"No {member}: {answer.Text}");

    public static IReadOnlySet<string> Scopes(this Answer answer) => answer.Text("scope").Split(' ').ToHashSet(StringComparer.Ordinal);

    /// <summary>SMART's own additions to RFC 6749, 5.1.</summary>
    public static Answer IsTokenResponse(this Answer answer)
    {
        answer.Is(HttpStatusCode.OK);
        Assert.NotEmpty(answer.Text("access_token"));
        Assert.Equal("bearer", answer.Text("token_type"), ignoreCase: true);
        Assert.Equal(System.Text.Json.JsonValueKind.Number, answer.Body!["expires_in"]!.GetValueKind());
        Assert.InRange((int)answer.Body["expires_in"]!, 1, 3600);
        Assert.NotEmpty(answer.Text("scope"));
        Assert.True(answer.Headers.CacheControl?.NoStore);
        Assert.Contains("no-cache", answer.Headers.Pragma.Select(value => value.Name));
        return answer;
    }

    public static Answer IsOAuthError(this Answer answer, string error, params HttpStatusCode[] statuses)
    {
        Assert.Contains(answer.Status, statuses.Length == 0 ? [HttpStatusCode.BadRequest] : statuses);
        Assert.Equal(error, answer.Text("error"));
        Assert.Null(answer.Body!["access_token"]);
        return answer;
    }
}
