using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Smart;

/// <summary>https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-identity-data, and introspection.</summary>
public sealed class OpenIdTests(SmartServer server)
{
    private const string Scopes = "openid fhirUser launch/patient patient/Patient.rs";

    [Fact]
    public async Task IdToken_IsSignedByAPublishedKeyAndNamesTheUser()
    {
        server.Need();
        var issuer = (string)server.Discovery["issuer"]!;
        var configuration = (await ServerUnderTest.SendAsync(server.Http, HttpMethod.Get, issuer.TrimEnd('/') + "/.well-known/openid-configuration", null)).Is(HttpStatusCode.OK).Body!;
        Assert.Equal(issuer, (string?)configuration["issuer"]);
        Assert.Equal(server.TokenEndpoint, (string?)configuration["token_endpoint"]);
        Assert.NotEmpty(configuration["response_types_supported"]!.AsArray());
        Assert.NotEmpty(configuration["subject_types_supported"]!.AsArray());
        Assert.Contains("RS256", configuration["id_token_signing_alg_values_supported"]!.AsArray().Select(alg => (string?)alg));
        var keys = (await ServerUnderTest.SendAsync(server.Http, HttpMethod.Get, (string)configuration["jwks_uri"]!, null)).Is(HttpStatusCode.OK).Body!["keys"]!.AsArray();
        Assert.All(keys, key => Assert.Null(key!["d"]));

        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask(Scopes);
        launch.Request["nonce"] = "n-0S6_WzA2Mj";
        var tokens = (await launch.FinishAsync(server.Patient)).IsTokenResponse();
        var id = Jwt.Parse(tokens.Text("id_token"));

        Assert.Equal("RS256", (string?)id.Header["alg"]);
        var signer = Assert.Single(keys, key => (string?)key!["kty"] == "RSA" && (string?)key["kid"] == (string?)id.Header["kid"]);
        Assert.True(id.IsSignedBy(signer!));
        Assert.Equal(issuer, (string?)id.Claims["iss"]);
        Assert.Contains(SmartServer.PublicApp, id.Claims["aud"] is JsonArray many ? many.Select(a => (string?)a) : [(string?)id.Claims["aud"]]);
        Assert.Equal("n-0S6_WzA2Mj", (string?)id.Claims["nonce"]);
        Assert.InRange(((string)id.Claims["sub"]!).Length, 1, 255);
        Assert.True((long)id.Claims["exp"]! > TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        Assert.NotNull(id.Claims["iat"]);
        var fhirUser = (string)id.Claims["fhirUser"]!;
        Assert.EndsWith(server.Patient.FhirUser!, fhirUser, StringComparison.Ordinal);
        (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), new Uri(server.Base, fhirUser).AbsoluteUri)).Is(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Introspection_OfALiveToken_SaysWhatTheTokenResponseSaid()
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask(Scopes);
        var tokens = (await launch.FinishAsync(server.Patient)).IsTokenResponse();
        var found = (await IntrospectAsync(tokens.Text("access_token"))).Is(HttpStatusCode.OK);
        var id = Jwt.Parse(tokens.Text("id_token"));

        Assert.Equal(JsonValueKind.True, found.Body!["active"]!.GetValueKind());
        Assert.Equal(SmartServer.PublicApp, found.Text("client_id"));
        Assert.Equal(tokens.Scopes().Order(), found.Scopes().Order());
        Assert.True((long)found.Body["exp"]! > TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        Assert.Equal(tokens.Text("patient"), found.Text("patient"));
        Assert.Equal((string?)id.Claims["iss"], found.Text("iss"));
        Assert.Equal((string?)id.Claims["sub"], found.Text("sub"));
        Assert.Equal((string?)id.Claims["fhirUser"], found.Text("fhirUser"));
    }

    [Fact]
    public async Task Introspection_OfGarbage_SaysInactiveAndNoMore()
    {
        server.Need();
        var found = (await IntrospectAsync("garbage")).Is(HttpStatusCode.OK);

        Assert.Equal("""{"active":false}""", found.Body!.ToJsonString());
    }

    [Fact]
    public async Task Introspection_ByNobody_IsRefused()
    {
        server.Need();
        var answer = await TokenRequests.PostAsync(server, (string)server.Discovery["introspection_endpoint"]!, [new("token", "garbage")]);

        Assert.Contains(answer.Status, (HttpStatusCode[])[HttpStatusCode.BadRequest, HttpStatusCode.Unauthorized]);
    }

    private Task<Answer> IntrospectAsync(string token) => TokenRequests.PostAsync(
        server, (string)server.Discovery["introspection_endpoint"]!, [new("token", token)],
        new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{SmartServer.Ehr}:{SmartServer.Secret}"))));
}
