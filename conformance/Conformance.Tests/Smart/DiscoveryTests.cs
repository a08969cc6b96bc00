using System.Net;

namespace Conformance.Tests.Smart;

/// <summary>https://hl7.org/fhir/smart-app-launch/conformance.html</summary>
public sealed class SmartDiscoveryTests(SmartServer server)
{
    [Fact]
    public async Task SmartConfiguration_HasAllThatIsRequired()
    {
        server.Need();
        var answer = (await ServerUnderTest.SendAsync(server.Http, HttpMethod.Get, ".well-known/smart-configuration", null, ("Accept", "text/html"))).Is(HttpStatusCode.OK);

        Assert.StartsWith("application/json", answer.ContentHeaders.ContentType!.ToString(), StringComparison.Ordinal);
        foreach (var endpoint in (string[])["authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint", "management_endpoint", "jwks_uri", "issuer"])
        {
            Assert.True(Uri.IsWellFormedUriString((string?)answer.Body![endpoint], UriKind.Absolute), endpoint);
        }
        Offers("grant_types_supported", ["authorization_code", "refresh_token", "client_credentials"]);
        Assert.Contains("S256", List("code_challenge_methods_supported"));
        Assert.DoesNotContain("plain", List("code_challenge_methods_supported"));
        Offers("token_endpoint_auth_methods_supported", ["client_secret_basic", "client_secret_post", "private_key_jwt"]);
        Offers("token_endpoint_auth_signing_alg_values_supported", ["RS384", "ES384"]);
        Offers("capabilities",
        [
            "launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric", "sso-openid-connect",
            "context-banner", "context-ehr-patient", "context-ehr-encounter", "context-standalone-patient", "permission-offline", "permission-online", "permission-patient", "permission-user", "permission-v1", "permission-v2",
        ]);

        void Offers(string name, string[] wanted) => Assert.All(wanted, value => Assert.Contains(value, List(name)));

        HashSet<string> List(string name) => [.. answer.Body![name]!.AsArray().Select(value => (string)value!)];
    }

    [Theory]
    [InlineData(".well-known/smart-configuration")]
    [InlineData("metadata")]
    public async Task Discovery_FromAnyOrigin_IsOpen(string path)
    {
        server.Need();
        var answer = (await ServerUnderTest.SendAsync(server.Http, HttpMethod.Get, path, null, ("Origin", "https://anybody.example"))).Is(HttpStatusCode.OK);

        Assert.Contains(answer.Headers.GetValues("Access-Control-Allow-Origin").Single(), (string[])["*", "https://anybody.example"]);
    }

    [Fact]
    public async Task CapabilityStatement_NamesTheAuthorizationServer()
    {
        server.Need();
        var security = (await ServerUnderTest.SendAsync(server.Http, HttpMethod.Get, "metadata", null)).Body!["rest"]![0]!["security"]!;

        Assert.Contains(security["service"]!.AsArray(), service => (string?)service!["coding"]![0]!["code"] == "SMART-on-FHIR");
        var uris = security["extension"]!.AsArray().Single(e => (string?)e!["url"] == "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris")!["extension"]!.AsArray();
        Assert.Equal((string?)server.Discovery["authorization_endpoint"], Uri("authorize"));
        Assert.Equal(server.TokenEndpoint, Uri("token"));

        string? Uri(string name) => (string?)uris.Single(e => (string?)e!["url"] == name)!["valueUri"];
    }

    /// <summary>https://hl7.org/fhir/smart-app-launch/user-access-brands.html</summary>
    [Fact]
    public async Task Brands_AreAPublicBundleThatNamesThisServer()
    {
        server.Need();
        var answer = (await ServerUnderTest.SendAsync(server.Http, HttpMethod.Get, (string)server.Discovery["user_access_brand_bundle"]!, null, ("Origin", "https://anybody.example"))).Is(HttpStatusCode.OK);

        Assert.Contains(answer.Headers.GetValues("Access-Control-Allow-Origin").Single(), (string[])["*", "https://anybody.example"]);
        Assert.NotNull(answer.ETag);
        Assert.Equal("Bundle", answer.ResourceType);
        Assert.Equal("collection", (string?)answer.Body!["type"]);
        Assert.NotNull((string?)answer.Body["timestamp"]);
        var resources = answer.Body["entry"]!.AsArray().Select(entry => (FullUrl: (string?)entry!["fullUrl"], Resource: entry["resource"]!)).ToArray();
        var referenced = resources.Where(r => (string?)r.Resource["resourceType"] == "Organization")
            .SelectMany(r => r.Resource["endpoint"]?.AsArray().Select(e => (string)e!["reference"]!) ?? []).ToArray();
        var endpoints = resources.Where(r => (string?)r.Resource["resourceType"] == "Endpoint").ToArray();
        Assert.NotEmpty(endpoints);
        Assert.All(endpoints, endpoint => Assert.Contains(referenced, reference => reference == endpoint.FullUrl || reference == $"Endpoint/{endpoint.Resource["id"]}"));
        Assert.Contains(endpoints, endpoint => (string?)endpoint.Resource["address"] == server.Audience);
    }
}
