using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Authorization.Tests.Pages;

namespace Authorization.Tests.SelfRegistration;

/// <param name="Response">Of the endpoint.</param>
internal sealed record Registered(HttpResponseMessage Response, JsonElement Body)
{
    public int Status => (int)Response.StatusCode;

    public string? Error => Text("error");

    public string Id => Text("client_id")!;

    public string Token => Text("registration_access_token")!;

    /// <summary>Path of its own registration.</summary>
    public string Path => new Uri(Text("registration_client_uri")!).AbsolutePath;

    public string? Text(string name) => Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>What an app sends to register itself.</summary>
internal static class RegisteringApp
{
    public const string Redirect = "https://app.example/callback";

    public static JsonObject Metadata(params (string Name, JsonNode? Value)[] changes)
    {
        var metadata = new JsonObject
        {
            ["client_name"] = "Good App", ["redirect_uris"] = new JsonArray(Redirect), ["token_endpoint_auth_method"] = "none", ["grant_types"] = new JsonArray("authorization_code", "refresh_token"),
            ["scope"] = "openid fhirUser launch/patient offline_access patient/*.rs", ["contacts"] = new JsonArray("dev@app.example"), ["client_uri"] = "https://app.example/",
        };
        foreach (var (name, value) in changes)
        {
            metadata.Remove(name);
            if (value is not null)
            {
                metadata[name] = value.DeepClone();
            }
        }
        return metadata;
    }

    public static Task<Registered> RegisterAsync(this TestServer server, params (string Name, JsonNode? Value)[] changes) => server.SendAsync(HttpMethod.Post, "/auth/clients", null, Metadata(changes).ToJsonString());

    public static async Task<Registered> SendAsync(this TestServer server, HttpMethod method, string path, string? token, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, type);
        }
        var response = await server.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new(response, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    /// <summary>An administrator's browser at the page where apps wait.</summary>
    public static async Task<Browser> AdministratorAsync(this TestServer server)
    {
        await server.AddAsync("admin.one", fhirUser: null, roles: Authorization.Access.Role.Administrator);
        var browser = new Browser(server);
        return await browser.SignInAsync("admin.one", People.Password, "/auth/app-requests");
    }
}
