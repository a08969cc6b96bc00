using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>What the operations on Subscription refuse, and that nothing comes of it: https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/artifacts.html.</summary>
public sealed class OperationTests(ServerUnderTest server)
{
    [Theory]
    [InlineData("$events?eventsSinceNumber=one", HttpStatusCode.BadRequest)]
    [InlineData("$events?eventsUntilNumber=-1", HttpStatusCode.BadRequest)]
    [InlineData("$events?content=everything", HttpStatusCode.BadRequest)]
    [InlineData("$events?since=1", HttpStatusCode.BadRequest)]
    [InlineData("$status?colour=blue", HttpStatusCode.BadRequest)]
    [InlineData("$resend", HttpStatusCode.MethodNotAllowed)]
    public async Task QuestionThatIsWrong_IsRefused(string question, HttpStatusCode expected)
    {
        var id = await SubscribeAsync(SubscriberHost.Instance.Open());
        (await server.GetAsync($"Subscription/{id}/{question}")).Refused(expected);
    }

    /// <summary>Nobody is sent anything by a request to send again that is refused.</summary>
    [Fact]
    public async Task Resend_ThatIsRefused_SendsNothing()
    {
        var box = SubscriberHost.Instance.Open();
        var patient = await server.AdmitAsync();
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}"));
        await server.ObserveAsync(patient);
        await box.EventsUpToAsync(1);
        (await ResendAsync(id)).Refused(HttpStatusCode.BadRequest);
        (await ResendAsync(id, ("eventsSinceNumber", "two"))).Refused(HttpStatusCode.BadRequest);
        (await ResendAsync(id, ("eventsSinceInstant", "yesterday"))).Refused(HttpStatusCode.BadRequest);
        (await ResendAsync(id, ("number", "1"))).Refused(HttpStatusCode.BadRequest);
        (await ResendAsync(id, ("eventsSinceNumber", "2"))).Refused(HttpStatusCode.NotFound);
        (await ResendAsync("nobody-has-this", ("eventsSinceNumber", "1"))).Refused(HttpStatusCode.NotFound);
        var off = (await server.GetAsync($"Subscription/{id}")).Is(HttpStatusCode.OK).Body!;
        off["status"] = "off";
        (await server.PutAsync($"Subscription/{id}", off)).Is(HttpStatusCode.OK);
        (await ResendAsync(id, ("eventsSinceNumber", "1"))).Refused(HttpStatusCode.Conflict);
        off["status"] = "requested";
        (await server.PutAsync($"Subscription/{id}", off)).Is(HttpStatusCode.OK);
        await server.StatusIsAsync(id, "active");
        await server.ObserveAsync(patient);

        await box.EventsUpToAsync(2);
        Assert.Equal([1, 2], box.Events.SelectMany(Notice.NumbersOf));
    }

    /// <summary>A notification by time is that of the numbers in between.</summary>
    [Fact]
    public async Task Resend_ByTime_SendsWhatHappenedThen()
    {
        var box = SubscriberHost.Instance.Open();
        var patient = await server.AdmitAsync();
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}"));
        await server.ObserveAsync(patient);
        await server.ObserveAsync(patient);
        await box.EventsUpToAsync(2);
        var events = (await server.GetAsync($"Subscription/{id}/$events?content=id-only")).Is(HttpStatusCode.OK).Body!;
        var (at, before) = ((string)Notice.Part(Notice.EventsOf(events)[1], "timestamp")!, box.Events.Count);
        (await ResendAsync(id, ("eventsSinceInstant", at))).Is(HttpStatusCode.OK);

        var again = await box.WhenAsync(_ => box.Events.Count > before ? box.Events.Skip(before).ToArray() : null);
        Assert.Contains(2, again.SelectMany(Notice.NumbersOf));
    }

    /// <summary>Only whoever made a subscription may be told of its events over a socket.</summary>
    [Fact]
    public async Task BindingToken_IsNotForOthers()
    {
        SubscriberHost.Instance.Open();
        var subscription = Subscribing.ByTopic(Subscribing.PatientTopic, "x", "id-only", $"patient={await server.AdmitAsync()}").Channel("type", "websocket");
        subscription["channel"]!.AsObject().Remove("endpoint");
        var id = await server.SubscribeAsync(subscription);
        using var watcher = await server.SignInAsync("watcher", server.ClientSecret, "system/Subscription.cruds system/Patient.rs");

        (await ServerUnderTest.SendAsync(watcher, HttpMethod.Get, $"Subscription/{id}/$get-ws-binding-token", null)).Refused(HttpStatusCode.Forbidden);
        (await ServerUnderTest.SendAsync(server.Anonymous, HttpMethod.Get, $"Subscription/{id}/$get-ws-binding-token", null)).Refused(HttpStatusCode.Unauthorized);
    }

    private async Task<string> SubscribeAsync(Mailbox box) =>
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={await server.AdmitAsync()}"));

    private Task<Answer> ResendAsync(string id, params (string Name, string Value)[] parameters) => server.PostAsync($"Subscription/{id}/$resend", new JsonObject
    {
        ["resourceType"] = "Parameters",
        ["parameter"] = new JsonArray([.. parameters.Select(parameter => (JsonNode)new JsonObject { ["name"] = parameter.Name, ["valueString"] = parameter.Value })]),
    });
}
