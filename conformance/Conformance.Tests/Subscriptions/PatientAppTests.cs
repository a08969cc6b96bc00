using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Conformance.Tests.Smart;

namespace Conformance.Tests.Subscriptions;

/// <summary>
/// Apps of people subscribe to what their user may see, for as long as what the user agreed to stands:
/// https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/safety_security.html.
/// </summary>
public sealed class PatientAppTests(SmartServer server)
{
    private const string Scopes = "openid fhirUser launch/patient offline_access patient/Subscription.cruds patient/QuestionnaireResponse.cruds patient/Patient.rs";
    private const string StaffScopes = "openid fhirUser user/QuestionnaireResponse.cruds user/Subscription.cruds user/Patient.rs";
    private static SubscriberHost Host => SubscriberHost.Instance;

    [Fact]
    public async Task Patient_IsToldOfTheirOwnRecord_AndOfNobodyElses()
    {
        server.Need();
        var (box, own) = (Host.Open(), server.Patient.FhirUser!);
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask(Scopes);
        using var app = Client((await launch.FinishAsync(server.Patient)).IsTokenResponse());
        using var staffLaunch = new AppLaunch(server, SmartServer.SecretApp).Ask(StaffScopes);
        using var staff = Client((await staffLaunch.FinishAsync(server.Practitioner)).IsTokenResponse());
        var id = await SubscribeAsync(app, box); // without a filter: what the patient may see
        var other = (await SendAsync(staff, HttpMethod.Get, "Patient?_count=20", null)).Is(HttpStatusCode.OK).Ids().First(patient => $"Patient/{patient}" != own);
        var foreign = (await SendAsync(staff, HttpMethod.Post, "QuestionnaireResponse", Answers($"Patient/{other}"))).Is(HttpStatusCode.Created).Id;
        var mine = (await SendAsync(staff, HttpMethod.Post, "QuestionnaireResponse", Answers(own))).Is(HttpStatusCode.Created).Id;

        var bundle = (await box.EventsUpToAsync(1))[0];
        Assert.EndsWith($"QuestionnaireResponse/{mine}", Assert.Single(Notice.FocusOf(bundle)), StringComparison.Ordinal);
        Assert.DoesNotContain(box.All, one => one.Body.Contains(foreign, StringComparison.Ordinal));
        Assert.Equal(1, Notice.TotalOf((await SendAsync(app, HttpMethod.Get, $"Subscription/{id}/$status", null)).Is(HttpStatusCode.OK).Body));
    }

    /// <summary>A subscription is its owner's: to others' apps it is not there.</summary>
    [Fact]
    public async Task Subscription_IsItsOwners()
    {
        server.Need();
        var box = Host.Open();
        using var launch = new AppLaunch(server, SmartServer.PublicApp).Ask(Scopes);
        using var app = Client((await launch.FinishAsync(server.Patient)).IsTokenResponse());
        var id = await SubscribeAsync(app, box);
        using var staffLaunch = new AppLaunch(server, SmartServer.SecretApp).Ask(StaffScopes);
        using var staff = Client((await staffLaunch.FinishAsync(server.Practitioner)).IsTokenResponse());

        Assert.Contains(id, (await SendAsync(app, HttpMethod.Get, "Subscription", null)).Is(HttpStatusCode.OK).Ids());
        Assert.DoesNotContain(id, (await SendAsync(staff, HttpMethod.Get, "Subscription?_count=500", null)).Is(HttpStatusCode.OK).Ids());
        foreach (var path in (string[])[$"Subscription/{id}", $"Subscription/{id}/_history", $"Subscription/{id}/$status", $"Subscription/{id}/$events"])
        {
            (await SendAsync(staff, HttpMethod.Get, path, null)).Refused(HttpStatusCode.NotFound);
        }
        var read = (await SendAsync(app, HttpMethod.Get, $"Subscription/{id}", null)).Is(HttpStatusCode.OK).Body!;
        (await SendAsync(staff, HttpMethod.Put, $"Subscription/{id}", read)).Refused(HttpStatusCode.Forbidden);
        (await SendAsync(staff, HttpMethod.Delete, $"Subscription/{id}", null)).Refused(HttpStatusCode.Forbidden);
        read["meta"]!.AsObject().Remove("tag"); // the server's to set
        read["status"] = "off";
        (await SendAsync(app, HttpMethod.Put, $"Subscription/{id}", read)).Is(HttpStatusCode.OK);
        (await SendAsync(app, HttpMethod.Delete, $"Subscription/{id}", null)).Is(HttpStatusCode.NoContent);
    }

    /// <summary>Authorization still stands when a notification is sent, or none is.</summary>
    [Fact]
    public async Task AgreementThatIsTakenBack_EndsDelivery()
    {
        server.Need();
        var (box, own) = (Host.Open(), server.Patient.FhirUser!);
        using var launch = new AppLaunch(server, SmartServer.SecretApp).Ask(Scopes);
        var tokens = (await launch.FinishAsync(server.Patient)).IsTokenResponse();
        using var app = Client(tokens);
        var id = await SubscribeAsync(app, box);
        await SendAsync(app, HttpMethod.Post, "QuestionnaireResponse", Answers(own));
        await box.EventsUpToAsync(1);
        var revoked = await TokenRequests.SendAsync(server, SmartServer.SecretApp, new(StringComparer.Ordinal) { ["token"] = tokens.Text("refresh_token") }, (string)server.Discovery["revocation_endpoint"]!);
        revoked.Is(HttpStatusCode.OK);

        using var other = new AppLaunch(server, SmartServer.PublicApp).Ask(Scopes);
        using var again = Client((await other.FinishAsync(server.Patient)).IsTokenResponse());
        var told = box.Events.Count;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var backend = Client((await TokenRequests.SendAsync(server, SmartServer.Backend, new(StringComparer.Ordinal) { ["grant_type"] = "client_credentials", ["scope"] = "system/*.rs" })).IsTokenResponse());
        while ((string?)(await SendAsync(backend, HttpMethod.Get, $"Subscription/{id}", null)).Is(HttpStatusCode.OK).Body!["status"] != "error")
        {
            Assert.False(limit.IsCancellationRequested, "The subscription goes on.");
            (await SendAsync(again, HttpMethod.Post, "QuestionnaireResponse", Answers(own))).Is(HttpStatusCode.Created);
            await Task.Delay(200, CancellationToken.None);
        }
        // Within the seconds that a standing is kept, something may still have been told; from now on nothing is.
        var last = box.Events.Count;
        (await SendAsync(again, HttpMethod.Post, "QuestionnaireResponse", Answers(own))).Is(HttpStatusCode.Created);
        Assert.Contains("access", (string?)(await SendAsync(backend, HttpMethod.Get, $"Subscription/{id}", null)).Body!["error"], StringComparison.Ordinal);
        Assert.Equal(last, box.Events.Count);
        Assert.True(last >= told);
    }

    /// <summary>People's apps do not define what the server evaluates on everybody's resources.</summary>
    [Fact]
    public async Task Topics_AreNotForPeoplesApps()
    {
        server.Need();
        using var launch = new AppLaunch(server, SmartServer.SecretApp).Ask("openid fhirUser user/Basic.cruds");
        using var staff = Client((await launch.FinishAsync(server.Practitioner)).IsTokenResponse());
        var topic = JsonNode.Parse("""
            {"resourceType":"Basic","extension":[{"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.url","valueUri":"http://example.org/mine"},
             {"url":"http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.resourceTrigger","extension":[{"url":"resource","valueUri":"Patient"}]}],
             "code":{"coding":[{"system":"http://hl7.org/fhir/fhir-types","code":"SubscriptionTopic"}]}}
            """)!;
        (await SendAsync(staff, HttpMethod.Post, "Basic", topic)).Refused(HttpStatusCode.Forbidden);
    }

    private static async Task<string> SubscribeAsync(HttpClient app, Mailbox box)
    {
        var created = (await SendAsync(app, HttpMethod.Post, "Subscription", Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only"))).Is(HttpStatusCode.Created);
        await SubscriptionSteps.StatusIsAsync(app, created.Id, "active");
        return created.Id;
    }

    private HttpClient Client(Answer tokens)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = server.Base };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens.Text("access_token"));
        return http;
    }

    private static Task<Answer> SendAsync(HttpClient client, HttpMethod method, string path, JsonNode? body) =>
        ServerUnderTest.SendAsync(client, method, path, body is null ? null : new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString())));

    private static JsonObject Answers(string patient) => new() { ["resourceType"] = "QuestionnaireResponse", ["status"] = "completed", ["subject"] = new JsonObject { ["reference"] = patient } };
}
