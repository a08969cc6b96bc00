using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Smart;

/// <summary>https://hl7.org/fhir/smart-app-launch/backend-services.html</summary>
public sealed class BackendServicesTests(SmartServer server)
{
    private static readonly HttpStatusCode[] Refusals = [HttpStatusCode.BadRequest, HttpStatusCode.Unauthorized];

    [Theory]
    [InlineData(SmartServer.Backend, true)]
    [InlineData(SmartServer.Backend, false)]
    [InlineData(SmartServer.BackendByUrl, false)]
    public async Task Assertion_OfARegisteredKey_GivesAToken(string client, bool elliptic)
    {
        server.Need();
        var tokens = (await SendAsync(client, elliptic ? server.EcKey : server.RsaKey)).IsTokenResponse();

        Assert.InRange((int)tokens.Body!["expires_in"]!, 1, 300);
        Assert.Null(tokens.Body["refresh_token"]);
        Assert.Equal(["system/Patient.rs"], tokens.Scopes());
        (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), "Patient?_count=1")).Is(HttpStatusCode.OK);
        (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), "Appointment?_count=1")).Refused(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Assertion_SentTwice_IsRefusedTheSecondTime()
    {
        server.Need();
        var assertion = server.EcKey.Assertion(SmartServer.Backend, server.TokenEndpoint);

        (await SendAsync(assertion)).IsTokenResponse();
        await RefusedAsync(assertion);
    }

    [Theory]
    [InlineData("aud")]
    [InlineData("iss")]
    [InlineData("sub")]
    [InlineData("exp")]
    [InlineData("jti")]
    [InlineData("kid")]
    [InlineData("alg")]
    public async Task Assertion_WithoutAMember_IsRefused(string member)
    {
        server.Need();
        var assertion = server.EcKey.Assertion(SmartServer.Backend, server.TokenEndpoint, (header, claims) =>
        {
            header.Remove(member);
            claims.Remove(member);
        });

        await RefusedAsync(assertion);
    }

    public static readonly TheoryData<string, string, string> Wrong = new()
    {
        { "claims", "aud", "https://elsewhere.example/token" },
        { "claims", "iss", "somebody" },
        { "claims", "sub", "somebody" },
        { "header", "kid", "unknown" },
        { "header", "alg", "none" },
        { "header", "alg", "HS384" },
        { "header", "alg", "RS384" }, // the key is elliptic
        { "header", "jku", "https://evil.example/jwks.json" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Assertion_WithAWrongValue_IsRefused(string part, string member, string value)
    {
        server.Need();
        var assertion = server.EcKey.Assertion(SmartServer.Backend, server.TokenEndpoint, (header, claims) => (part == "header" ? header : claims)[member] = value);

        await RefusedAsync(assertion);
    }

    [Theory]
    [InlineData(-120)]
    [InlineData(3_600)]
    public async Task Assertion_OutOfItsTime_IsRefused(int seconds)
    {
        server.Need();
        var assertion = server.EcKey.Assertion(SmartServer.Backend, server.TokenEndpoint, (_, claims) => claims["exp"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + seconds);

        await RefusedAsync(assertion);
    }

    [Fact]
    public async Task Assertion_SignedBySomebodyElse_IsRefused()
    {
        server.Need();
        var assertion = ClientKey.Ec384(server.EcKey.Id).Assertion(SmartServer.Backend, server.TokenEndpoint);

        await RefusedAsync(assertion);
    }

    [Theory]
    [InlineData("grant_type", "password", "unsupported_grant_type")]
    [InlineData("grant_type", null, "invalid_request")]
    [InlineData("scope", null, "invalid_scope")]
    [InlineData("scope", "system/Patient.x", "invalid_scope")]
    [InlineData("scope", "system/Nothing.rs", "invalid_scope")]
    [InlineData("scope", "system/Patient.cud", "invalid_scope")]
    public async Task Request_WithAWrongParameter_IsRefused(string parameter, string? value, string error)
    {
        server.Need();
        var form = Form(server.EcKey.Assertion(SmartServer.Backend, server.TokenEndpoint));
        form.Remove(parameter);
        if (value is not null)
        {
            form[parameter] = value;
        }

        (await TokenRequests.PostAsync(server, server.TokenEndpoint, form)).IsOAuthError(error);
        await StillWelcomeAsync();
    }

    [Theory]
    [InlineData("client_assertion_type", null)]
    [InlineData("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")]
    [InlineData("client_assertion", null)]
    [InlineData("client_assertion", "not.a.jwt")]
    public async Task Request_WithoutAProperAssertion_IsRefused(string parameter, string? value)
    {
        server.Need();
        var form = Form(server.EcKey.Assertion(SmartServer.Backend, server.TokenEndpoint));
        form.Remove(parameter);
        if (value is not null)
        {
            form[parameter] = value;
        }
        var answer = await TokenRequests.PostAsync(server, server.TokenEndpoint, form);

        Assert.Contains(answer.Status, Refusals);
        Assert.Contains(answer.Text("error"), (string[])["invalid_client", "invalid_request"]);
        await StillWelcomeAsync();
    }

    private async Task RefusedAsync(string assertion)
    {
        (await SendAsync(assertion)).IsOAuthError("invalid_client", Refusals);
        await StillWelcomeAsync();
    }

    /// <summary>What somebody else sends in its name does the client no harm. (And one that has proved itself begins to count anew.)</summary>
    private async Task StillWelcomeAsync() => (await SendAsync(SmartServer.Backend, server.EcKey)).IsTokenResponse();

    private Task<Answer> SendAsync(string client, ClientKey key) => SendAsync(key.Assertion(client, server.TokenEndpoint));

    private Task<Answer> SendAsync(string assertion) => TokenRequests.PostAsync(server, server.TokenEndpoint, Form(assertion));

    private static Dictionary<string, string> Form(string assertion) => new(StringComparer.Ordinal)
    {
        ["grant_type"] = "client_credentials", ["scope"] = "system/Patient.rs", ["client_assertion_type"] = TokenRequests.AssertionType, ["client_assertion"] = assertion,
    };
}
