using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Conformance.Tests;

public sealed class DiscoveryTests(ServerUnderTest server)
{
    /// <summary>https://hl7.org/fhir/smart-app-launch/conformance.html#using-well-known</summary>
    [Fact]
    public async Task WellKnown_WithoutAToken_NamesTheTokenEndpoint()
    {
        var answer = (await ServerUnderTest.SendAsync(server.Anonymous, HttpMethod.Get, ".well-known/smart-configuration", null)).Is(HttpStatusCode.OK);

        Assert.StartsWith("application/json", answer.ContentHeaders.ContentType!.ToString(), StringComparison.Ordinal);
        Assert.True(Uri.IsWellFormedUriString((string?)answer.Body!["token_endpoint"], UriKind.Absolute));
        Assert.Contains("client_credentials", answer.Body["grant_types_supported"]!.AsArray().Select(g => (string?)g));
        Assert.NotEmpty(answer.Body["capabilities"]!.AsArray());
        Assert.DoesNotContain("plain", (answer.Body["code_challenge_methods_supported"]?.AsArray() ?? []).Select(m => (string?)m));
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#capabilities</summary>
    [Fact]
    public async Task Metadata_WithoutAToken_IsACapabilityStatementOfR4()
    {
        var answer = (await ServerUnderTest.SendAsync(server.Anonymous, HttpMethod.Get, "metadata", null)).Is(HttpStatusCode.OK);

        Assert.Equal("CapabilityStatement", answer.ResourceType);
        Assert.Equal("4.0.1", (string?)answer.Body!["fhirVersion"]);
        Assert.Equal("instance", (string?)answer.Body["kind"]);
        var rest = Assert.Single(answer.Body["rest"]!.AsArray())!;
        Assert.Equal("server", (string?)rest["mode"]);
        var types = rest["resource"]!.AsArray().Select(r => (string?)r!["type"]).ToArray();
        Assert.Contains("Appointment", types);
        Assert.Contains("Patient", types);
        Assert.Equal(types.Length, types.Distinct().Count());
    }

    /// <summary>https://hl7.org/fhir/R4/capabilitystatement.html: what it lists must be there.</summary>
    [Theory]
    [InlineData("Patient")]
    [InlineData("Slot")]
    [InlineData("Appointment")]
    [InlineData("Observation")]
    public async Task Metadata_SearchParametersItLists_AreTaken(string type)
    {
        var rest = (await server.GetAsync("metadata")).Is(HttpStatusCode.OK).Body!["rest"]![0]!;
        var resource = rest["resource"]!.AsArray().Single(r => (string?)r!["type"] == type)!;

        foreach (var parameter in resource["searchParam"]!.AsArray())
        {
            var value = (string?)parameter!["type"] switch
            {
                "date" => "2020-01-01",
                "number" or "quantity" => "1",
                "reference" => "Patient/none",
                "uri" => "urn:none",
                "composite" => "none$2020", // reads as code, number, date or text alike
                _ => "none",
            };
            (await server.GetAsync($"{type}?{parameter["name"]}={value}", ("Prefer", "handling=strict"))).Is(HttpStatusCode.OK);
        }
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#2.21.0.6: 401 asks to sign in.</summary>
    [Theory]
    [InlineData("GET", "Patient")]
    [InlineData("GET", "Patient/x")]
    [InlineData("GET", "Patient/_history")]
    [InlineData("POST", "Patient")]
    [InlineData("PUT", "Patient/x")]
    [InlineData("DELETE", "Patient/x")]
    [InlineData("POST", "Patient/_search")]
    [InlineData("POST", "Appointment/$book")]
    [InlineData("POST", "")]
    public async Task AnythingElse_WithoutAToken_IsUnauthenticated(string method, string path)
    {
        var answer = await ServerUnderTest.SendAsync(server.Anonymous, new(method), path, method == "GET" ? null : new StringContent("{}", Encoding.UTF8, "application/fhir+json"));

        answer.Refused(HttpStatusCode.Unauthorized);
        Assert.Contains(answer.Headers.WwwAuthenticate, challenge => challenge.Scheme == "Bearer");
    }

    [Fact]
    public async Task AForgedToken_IsUnauthenticated()
    {
        using var forger = new HttpClient { BaseAddress = server.Base };
        forger.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "eyJhbGciOiJub25lIn0.eyJzY29wZSI6InN5c3RlbS8qLmNydWRzIn0.");

        (await ServerUnderTest.SendAsync(forger, HttpMethod.Get, "Patient", null)).Refused(HttpStatusCode.Unauthorized);
    }

    /// <summary>https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources</summary>
    [Fact]
    public async Task Scopes_OfATokenThatReadsPatients_AllowNothingElse()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("FHIR_BASE") is { Length: > 0 }, "The server at FHIR_BASE has no second client.");
        using var reader = await server.SignInAsync("reader", server.ClientSecret, "system/Patient.rs");

        (await ServerUnderTest.SendAsync(reader, HttpMethod.Get, "Patient?_count=1", null)).Is(HttpStatusCode.OK);
        (await ServerUnderTest.SendAsync(reader, HttpMethod.Get, "Appointment?_count=1", null)).Refused(HttpStatusCode.Forbidden);
        (await ServerUnderTest.SendAsync(reader, HttpMethod.Post, "Patient", new StringContent("""{"resourceType":"Patient"}""", Encoding.UTF8, "application/fhir+json"))).Refused(HttpStatusCode.Forbidden);
    }

    /// <summary>RFC 6749, 5.2: a wrong secret is <c>invalid_client</c>.</summary>
    [Fact]
    public async Task Token_ForAWrongSecret_IsRefused()
    {
        var discovery = (await ServerUnderTest.SendAsync(server.Anonymous, HttpMethod.Get, ".well-known/smart-configuration", null)).Body!;
        using var form = new FormUrlEncodedContent([new("grant_type", "client_credentials"), new("scope", ServerUnderTest.Scope), new("client_id", server.ClientId), new("client_secret", "wrong")]);
        var answer = await ServerUnderTest.SendAsync(server.Anonymous, HttpMethod.Post, (string)discovery["token_endpoint"]!, form);

        Assert.Contains(answer.Status, (HttpStatusCode[])[HttpStatusCode.BadRequest, HttpStatusCode.Unauthorized]);
        Assert.Equal("invalid_client", (string?)answer.Body!["error"]);
    }
}
