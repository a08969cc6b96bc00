using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Smart;

/// <summary>https://hl7.org/fhir/smart-app-launch/app-launch.html</summary>
public sealed class LaunchTests(SmartServer server)
{
    private const string PatientScopes = "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Appointment.rs";

    [Theory]
    [InlineData(SmartServer.PublicApp, false)]
    [InlineData(SmartServer.PublicApp, true)]
    [InlineData(SmartServer.SecretApp, false)]
    [InlineData(SmartServer.KeyApp, false)]
    public async Task StandaloneLaunch_OfAPatient_GivesTheirRecordAndNoOther(string app, bool byPost)
    {
        server.Need();
        using var launch = new AppLaunch(server, app).Ask(PatientScopes);
        await (byPost ? launch.SendByPostAsync() : launch.SendAsync());
        await launch.AgreeAsync(server.Patient);
        var tokens = (await launch.RedeemAsync(launch.Code())).IsTokenResponse();

        var patient = server.Patient.FhirUser!["Patient/".Length..];
        Assert.Equal(patient, tokens.Text("patient"));
        Assert.Superset(new HashSet<string>(["patient/Patient.rs", "patient/Appointment.rs"]), new HashSet<string>(tokens.Scopes()));
        var read = (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), $"Patient/{patient}", ("Origin", SmartServer.AppOrigin))).Is(HttpStatusCode.OK);
        Assert.Contains(read.Headers.GetValues("Access-Control-Allow-Origin").Single(), (string[])["*", SmartServer.AppOrigin]);
        var all = (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), "Patient?_count=50")).Is(HttpStatusCode.OK);
        Assert.Equal([patient], all.Ids());
        (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), "Observation?_count=1")).Refused(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task EhrLaunch_ByAPractitioner_KeepsTheContextOfTheEhr()
    {
        server.Need();
        var patient = server.Patient.FhirUser!["Patient/".Length..];
        var value = await LaunchValueAsync(SmartServer.SecretApp, patient);
        using var launch = new AppLaunch(server, SmartServer.SecretApp).Ask("openid fhirUser launch offline_access patient/Patient.rs user/Practitioner.rs", value);
        var tokens = (await launch.FinishAsync(server.Practitioner)).IsTokenResponse();

        Assert.Equal(patient, tokens.Text("patient"));
        Assert.Equal(System.Text.Json.JsonValueKind.False, tokens.Body!["need_patient_banner"]!.GetValueKind());
        foreach (var context in tokens.Body["fhirContext"]?.AsArray() ?? [])
        {
            Assert.Contains(context!.AsObject(), member => member.Key is "reference" or "canonical" or "identifier");
        }
        (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), $"Patient/{patient}")).Is(HttpStatusCode.OK);

        var again = (await launch.RefreshAsync(tokens.Text("refresh_token"))).IsTokenResponse();
        Assert.Equal(patient, again.Text("patient"));
    }

    [Fact]
    public async Task LaunchValue_UsedTwice_IsRefused()
    {
        server.Need();
        var value = await LaunchValueAsync(SmartServer.SecretApp, server.Patient.FhirUser!["Patient/".Length..]);
        using var first = new AppLaunch(server, SmartServer.SecretApp).Ask("launch patient/Patient.rs", value);
        (await first.FinishAsync(server.Practitioner)).IsTokenResponse();

        using var second = new AppLaunch(server, SmartServer.SecretApp).Ask("launch patient/Patient.rs", value);
        await second.SendAsync();
        if (second.Visitor.LeftFor is null)
        {
            await second.AgreeAsync(server.Practitioner);
        }
        Assert.Equal("invalid_request", second.Answer()["error"]);
    }

    [Fact]
    public async Task Authorize_ForAnotherServersAudience_FailsWithoutACode()
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask(PatientScopes);
        launch.Request["aud"] = "https://elsewhere.example/fhir";
        await launch.SendAsync();

        Assert.DoesNotContain("code=", launch.Visitor.LeftFor?.Query ?? "", StringComparison.Ordinal);
        Assert.False(launch.Visitor.Has("password"));
    }

    [Theory]
    [InlineData("response_type", null)]
    [InlineData("response_type", "token")]
    [InlineData("scope", null)]
    [InlineData("state", null)]
    [InlineData("aud", null)]
    [InlineData("code_challenge", null)]
    [InlineData("code_challenge_method", null)]
    [InlineData("code_challenge_method", "plain")]
    public async Task Authorize_WithoutWhatIsRequired_TellsTheApp(string parameter, string? value)
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask(PatientScopes);
        launch.Request.Remove(parameter);
        if (value is not null)
        {
            launch.Request[parameter] = value;
        }
        await launch.SendAsync();

        var answer = launch.Answer();
        Assert.Contains(answer["error"], (string[])["invalid_request", "unsupported_response_type", "invalid_scope"]);
        Assert.False(answer.ContainsKey("code"));
        if (parameter != "state")
        {
            Assert.Equal(launch.State, answer["state"]);
        }
    }

    [Theory]
    [InlineData("client_id", "nobody")]
    [InlineData("redirect_uri", "https://app.example.org/callback/more")]
    [InlineData("redirect_uri", "https://evil.example/callback")]
    public async Task Authorize_ForAnUnknownClientOrAddress_SendsTheBrowserNowhere(string parameter, string value)
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask(PatientScopes);
        launch.Request[parameter] = value;
        await launch.SendAsync();

        Assert.Null(launch.Visitor.LeftFor);
        Assert.Equal(HttpStatusCode.BadRequest, launch.Visitor.Status);
    }

    [Fact]
    public async Task Code_IsGoodOnceAndOnlyWithItsVerifier()
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask(PatientScopes);
        await launch.SendAsync();
        await launch.AgreeAsync(server.Patient);
        var code = launch.Code();

        (await launch.RedeemAsync(code, form => form.Remove("code_verifier"))).IsOAuthError("invalid_request");
        (await launch.RedeemAsync(code, form => form["code_verifier"] = new string('x', 64))).IsOAuthError("invalid_grant");
        (await launch.RedeemAsync(code, form => form["redirect_uri"] = "https://evil.example/")).IsOAuthError("invalid_grant");
        var tokens = (await launch.RedeemAsync(code)).IsTokenResponse();
        (await launch.RedeemAsync(code)).IsOAuthError("invalid_grant");
        // A code that comes twice was stolen: what it gave is taken back.
        (await launch.RefreshAsync(tokens.Text("refresh_token"))).IsOAuthError("invalid_grant");
    }

    /// <summary>https://hl7.org/fhir/smart-app-launch/app-launch.html#refresh-access-token</summary>
    [Fact]
    public async Task Refresh_WithAndWithoutScope_GivesNoMoreThanBefore_AndAStolenTokenEndsAll()
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask(PatientScopes);
        var first = (await launch.FinishAsync(server.Patient)).IsTokenResponse();

        var same = (await launch.RefreshAsync(first.Text("refresh_token"))).IsTokenResponse();
        Assert.Superset(new HashSet<string>(same.Scopes()), new HashSet<string>(first.Scopes()));
        Assert.Equal(first.Text("patient"), same.Text("patient"));
        var narrow = (await launch.RefreshAsync(Newest(same, first), "patient/Patient.rs offline_access")).IsTokenResponse();
        Assert.Superset(new HashSet<string>(narrow.Scopes()), new HashSet<string>(first.Scopes()));
        Assert.DoesNotContain("patient/Appointment.rs", narrow.Scopes());
        (await TokenRequests.ReadAsync(server, narrow.Text("access_token"), "Appointment?_count=1")).Refused(HttpStatusCode.Forbidden);
        (await launch.RefreshAsync(Newest(narrow, same), "patient/Observation.rs")).IsOAuthError("invalid_scope");

        (await launch.RefreshAsync(first.Text("refresh_token"))).IsOAuthError("invalid_grant");
        (await launch.RefreshAsync(Newest(narrow, same))).IsOAuthError("invalid_grant");

        static string Newest(Answer newer, Answer older) => (string?)newer.Body!["refresh_token"] ?? older.Text("refresh_token");
    }

    [Fact]
    public async Task Revocation_OfTheRefreshToken_EndsTheGrant()
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask(PatientScopes);
        var tokens = (await launch.FinishAsync(server.Patient)).IsTokenResponse();
        var form = new Dictionary<string, string> { ["token"] = tokens.Text("refresh_token") };

        (await TokenRequests.SendAsync(server, SmartServer.PublicApp, form, (string)server.Discovery["revocation_endpoint"]!)).Is(HttpStatusCode.OK);

        (await launch.RefreshAsync(tokens.Text("refresh_token"))).IsOAuthError("invalid_grant");
    }

    private async Task<string> LaunchValueAsync(string app, string patient)
    {
        var token = (await TokenRequests.SendAsync(server, SmartServer.Ehr, new() { ["grant_type"] = "client_credentials", ["scope"] = "system/*.rs" })).IsTokenResponse();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Base, "/auth/launch"))
        {
            Content = new StringContent(new JsonObject { ["client_id"] = app, ["user"] = server.Practitioner.FhirUser, ["patient"] = patient, ["need_patient_banner"] = false }.ToJsonString(), new MediaTypeHeaderValue("application/json")),
        };
        request.Headers.Authorization = new("Bearer", token.Text("access_token"));
        using var response = await server.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return (string)JsonNode.Parse(text)!["launch"]!;
    }
}
