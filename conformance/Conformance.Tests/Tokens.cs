using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Conformance.Tests;

/// <summary>The client credentials grant with a secret, https://hl7.org/fhir/smart-app-launch/backend-services.html.</summary>
public static class Tokens
{
    public const string Everything = "system/*.cruds";

    /// <param name="fhirBase">With a slash at the end.</param>
    /// <param name="connections">Most connections at once.</param>
    /// <returns>A client that carries the token.</returns>
    public static async Task<HttpClient> SignInAsync(Uri fhirBase, string clientId, string clientSecret, CancellationToken ct, string scope = Everything, int connections = int.MaxValue)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, MaxConnectionsPerServer = connections }) { BaseAddress = fhirBase, Timeout = TimeSpan.FromSeconds(60) };
        var discovery = JsonNode.Parse(await http.GetStringAsync(".well-known/smart-configuration", ct))!;
        using var request = new HttpRequestMessage(HttpMethod.Post, (string)discovery["token_endpoint"]!)
        {
            Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", scope)]),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{clientId}:{clientSecret}")));
        using var response = await http.SendAsync(request, ct);
        var answer = await response.Content.ReadAsStringAsync(ct);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{response.StatusCode} {answer}");
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)JsonNode.Parse(answer)!["access_token"]!);
        return http;
    }
}
