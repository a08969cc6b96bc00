using System.Net;

namespace Conformance.Tests.Smart;

/// <summary>
/// What the certification kit of the US regulator checks beyond SMART itself (45 CFR 170.315(g)(10)): apps that get less than they asked
/// for, v1 scopes, granular scopes that the user picks.
/// </summary>
public sealed class CertificationTests(SmartServer server)
{
    /// <summary>"Limited app": what the user withholds is not in the token, and reading it is refused.</summary>
    [Fact]
    public async Task LimitedApp_ScopesTheUserWithholds_AreNotGranted()
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask("launch/patient patient/Patient.rs patient/Appointment.rs patient/Observation.rs");
        await ToConsentAsync(launch);
        await launch.Visitor.SubmitAsync("allow", [.. launch.BoxesOf("patient/Observation.rs").Select(box => $"{box.Name}={box.Value}")]);
        var tokens = (await launch.RedeemAsync(launch.Code())).IsTokenResponse();

        Assert.DoesNotContain(tokens.Scopes(), scope => scope.Contains("Observation", StringComparison.Ordinal));
        (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), "Appointment?_count=1")).Is(HttpStatusCode.OK);
        (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), "Observation?_count=1")).Refused(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Refusal_ByTheUser_IsToldToTheApp()
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask("launch/patient patient/Patient.rs");
        await ToConsentAsync(launch);
        await launch.Visitor.SubmitAsync("deny");

        Assert.Equal("access_denied", launch.Answer()["error"]);
    }

    [Fact]
    public async Task V1Scopes_AreAnsweredAsV1AndHold()
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask("launch/patient patient/Patient.read patient/Appointment.read");
        var tokens = (await launch.FinishAsync(server.Patient)).IsTokenResponse();

        Assert.Superset(new HashSet<string>(["patient/Patient.read", "patient/Appointment.read"]), new HashSet<string>(tokens.Scopes()));
        var token = tokens.Text("access_token");
        (await TokenRequests.ReadAsync(server, token, "Patient?_count=1")).Is(HttpStatusCode.OK);
        (await ServerUnderTest.SendAsync(server.Http, HttpMethod.Delete, server.Patient.FhirUser!, null, ("Authorization", "Bearer " + token))).Refused(HttpStatusCode.Forbidden);
    }

    /// <summary>The user may grant a part of what is asked: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters.</summary>
    [Fact]
    public async Task GranularSelection_ASubScopeInsteadOfTheResourceScope_IsGranted()
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask("launch/patient patient/Patient.rs patient/Observation.rs");
        await ToConsentAsync(launch);
        var boxes = launch.BoxesOf("patient/Observation.rs");
        var part = Assert.Single(boxes, box => box.Parent!.TextContent.Contains("laborator", StringComparison.OrdinalIgnoreCase));
        await launch.Visitor.SubmitAsync("allow", [$"{boxes[0].Name}={boxes[0].Value}"], (part.Name!, part.Value));
        var tokens = (await launch.RedeemAsync(launch.Code())).IsTokenResponse();

        Assert.Contains(tokens.Scopes(), scope => scope.StartsWith("patient/Observation.rs?category=", StringComparison.Ordinal) && scope.Contains("laboratory", StringComparison.Ordinal));
        Assert.DoesNotContain("patient/Observation.rs", tokens.Scopes());
        var found = (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), "Observation?_count=50")).Is(HttpStatusCode.OK);
        Assert.All(found.Entries(), observation => Assert.Contains("laboratory", observation["category"]!.ToJsonString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task GranularScope_Asked_IsGrantedAndHolds()
    {
        server.Need();
        const string Scope = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask($"launch/patient {Scope}");
        var tokens = (await launch.FinishAsync(server.Patient)).IsTokenResponse();

        Assert.Contains(Scope, tokens.Scopes());
        (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), "Observation?_count=50")).Is(HttpStatusCode.OK);
        (await TokenRequests.ReadAsync(server, tokens.Text("access_token"), "Condition?_count=1")).Refused(HttpStatusCode.Forbidden);
    }

    /// <summary>What the patient agreed to before is not asked again unless the app wants it so.</summary>
    private async Task ToConsentAsync(AppLaunch launch)
    {
        launch.Request["prompt"] = "consent";
        await launch.SendAsync();
        await launch.Visitor.SubmitAsync(null, ("username", server.Patient.UserName), ("password", server.Patient.Password));
    }
}
