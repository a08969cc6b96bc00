using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>Subscribers that are away, slow or wrong, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/errors.html.</summary>
public sealed class DeliveryTests(ServerUnderTest server)
{
    private static SubscriberHost Host => SubscriberHost.Instance;

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html#rest-hook: any error of the handshake makes it an error; the client activates it again.</summary>
    [Theory]
    [InlineData(500)]
    [InlineData(404)]
    public async Task FailedHandshake_IsAnError_UntilTheClientAsksAgain(int status)
    {
        var box = Host.Open();
        box.Answer((_, before) => before == 0 ? new(status) : new(200));
        var created = (await server.PostAsync("Subscription", await MakeAsync(box))).Is(HttpStatusCode.Created);
        var failed = await server.StatusIsAsync(created.Id, "error");
        Assert.False(string.IsNullOrEmpty((string?)failed["error"]));
        Assert.Single(box.All);

        failed["status"] = "requested";
        var again = (await server.PutAsync($"Subscription/{created.Id}", failed)).Is(HttpStatusCode.OK);
        Assert.Null(again.Body!["error"]);
        await server.StatusIsAsync(created.Id, "active");
        Assert.Equal(2, box.All.Count);
    }

    /// <summary>Attempts are made again, in order, and nothing is lost or told out of turn.</summary>
    [Theory]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(500)]
    public async Task FailingEndpoint_GetsEverythingInOrder_OnceItIsWell(int status)
    {
        var box = Host.Open();
        var (id, patient) = await SubscribeAsync(box);
        var sick = true;
        box.Answer((_, _) => Volatile.Read(ref sick) ? new(status, Headers: [("Retry-After", "0")]) : new(200));
        for (var i = 0; i < 3; i++)
        {
            await server.ObserveAsync(patient);
        }
        await box.WhenAsync(received => received.Count >= 3 ? received : null);
        Assert.NotNull(Notice.Parameter((await server.CountedAsync(id, 3))["entry"]![0]!["resource"], "error"));
        var before = box.All.Count;
        Volatile.Write(ref sick, false);
        await box.EventsUpToAsync(3);

        Assert.Equal([1, 2, 3], box.All.Skip(before).SelectMany(received => Notice.NumbersOf(received.Json!)).Distinct());
        Assert.Equal("active", (string?)(await server.GetAsync($"Subscription/{id}")).Body!["status"]);
        await server.IsWellAsync(id);
    }

    /// <summary>errors.html: status error, counting goes on, $status answers, and only the client makes it active again; what was not delivered is delivered then.</summary>
    [Fact]
    public async Task EndpointThatStaysAway_IsAnError_CountsOn_AndGoesOnWhereItStopped()
    {
        var box = Host.Open();
        var (id, patient) = await SubscribeAsync(box);
        var away = true;
        box.Answer((_, _) => Volatile.Read(ref away) ? new(503) : new(200));
        await server.ObserveAsync(patient);
        var failed = await server.StatusIsAsync(id, "error");
        await server.ObserveAsync(patient);

        var status = Assert.Single((await server.CountedAsync(id, 2))["entry"]!.AsArray())!["resource"]!;
        Notice.IsStatus(status, id, "query-status", "error");
        Assert.NotNull(Notice.Parameter(status, "error")!["coding"]![0]!["code"]);
        Volatile.Write(ref away, false);
        failed["status"] = "requested";
        (await server.PutAsync($"Subscription/{id}", failed)).Is(HttpStatusCode.OK);
        var bundles = await box.EventsUpToAsync(2);
        Assert.Equal([1, 2], bundles.SelectMany(Notice.NumbersOf).Distinct());
        Notice.IsNotification(bundles[^1], id, "event-notification", "active");
    }

    /// <summary>errors.html: a server does not make a subscription active again by itself, however well its endpoint has become.</summary>
    [Fact]
    public async Task EndpointThatIsWellAgain_IsNotCalled_UntilTheClientAsks()
    {
        var (box, witness) = (Host.Open(), Host.Open());
        var patient = await server.AdmitAsync();
        box.Answer((_, before) => new(before == 0 ? 500 : 200));
        var created = (await server.PostAsync("Subscription", Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}"))).Is(HttpStatusCode.Created);
        var failed = await server.StatusIsAsync(created.Id, "error");
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, witness.Address, "id-only", $"patient={patient}").With(("heartbeat-period", "valueUnsignedInt", 1)));
        await server.ObserveAsync(patient);
        await witness.EventsUpToAsync(1);
        await witness.NextAsync("heartbeat", after: witness.Of("heartbeat").Count); // longer than any pause between attempts

        Assert.Single(box.All);
        Notice.IsStatus(Assert.Single((await server.GetAsync($"Subscription/{created.Id}/$status")).Is(HttpStatusCode.OK).Entries()), created.Id, "query-status", "error");
        Assert.Equal(1, Notice.TotalOf(await server.CountedAsync(created.Id, 1)));
        failed["status"] = "active"; // as the specification has clients ask, beside requested
        (await server.PutAsync($"Subscription/{created.Id}", failed)).Is(HttpStatusCode.OK);
        await box.EventsUpToAsync(1);
        await server.StatusIsAsync(created.Id, "active");
    }

    /// <summary>https://www.rfc-editor.org/rfc/rfc9110#name-410-gone</summary>
    [Fact]
    public async Task EndpointThatIsGone_TurnsTheSubscriptionOff()
    {
        var (box, witness) = (Host.Open(), Host.Open());
        var (id, patient) = await SubscribeAsync(box);
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, witness.Address, "id-only", $"patient={patient}"));
        box.Answer((_, _) => new(410));
        await server.ObserveAsync(patient);

        var off = await server.StatusIsAsync(id, "off");
        Assert.False(string.IsNullOrEmpty((string?)off["error"]));
        var called = box.All.Count;
        await server.ObserveAsync(patient);
        await witness.EventsUpToAsync(2);
        Assert.Equal(called, box.All.Count);
        Assert.Equal(1, Notice.TotalOf((await server.GetAsync($"Subscription/{id}/$status")).Body));
    }

    /// <summary>Who is slow is told in larger bundles, and leaves nothing out.</summary>
    [Fact]
    public async Task SlowEndpoint_GetsEverythingInOrder_InFewerBundles()
    {
        var box = Host.Open();
        var (id, patient) = await SubscribeAsync(box);
        box.Answer((_, _) => new(200, After: TimeSpan.FromMilliseconds(300)));
        var observations = new List<string>();
        for (var i = 0; i < 30; i++)
        {
            observations.Add(await server.ObserveAsync(patient));
        }
        await server.CountedAsync(id, observations.Count);

        var bundles = await box.EventsUpToAsync(observations.Count);
        Assert.Equal(Enumerable.Range(1, observations.Count).Select(number => (long)number), bundles.SelectMany(Notice.NumbersOf));
        Assert.Equal(observations, bundles.SelectMany(Notice.FocusOf).Select(focus => string.Join('/', focus!.Split('/')[^2..])));
        Assert.True(bundles.Count < observations.Count, "What happens while the receiver thinks is told together.");
    }

    /// <summary>Who does not answer is given up on in time, and nobody else waits for it.</summary>
    [Fact]
    public async Task EndpointThatHangs_HoldsNobodyUp()
    {
        var (hanging, well) = (Host.Open(), Host.Open());
        var (id, patient) = await SubscribeAsync(hanging, subscription => subscription.With(("timeout", "valueUnsignedInt", 1)));
        await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, well.Address, "id-only", $"patient={patient}"));
        hanging.Answer((_, _) => new(200, Hang: true));
        await server.ObserveAsync(patient);
        await well.EventsUpToAsync(1);

        await hanging.WhenAsync(received => received.Count >= 3 ? received : null); // the handshake, and two attempts
        Assert.Equal(1, Notice.TotalOf((await server.GetAsync($"Subscription/{id}/$status")).Body));
    }

    /// <summary>A redirect is another address than the one that was agreed on.</summary>
    [Fact]
    public async Task Redirect_IsNotFollowed()
    {
        var (box, elsewhere) = (Host.Open(), Host.Open());
        box.Answer((_, _) => new(307, Headers: [("Location", elsewhere.Address)]));
        var created = (await server.PostAsync("Subscription", await MakeAsync(box))).Is(HttpStatusCode.Created);

        var failed = await server.StatusIsAsync(created.Id, "error");
        Assert.Contains("redirect", (string?)failed["error"], StringComparison.Ordinal);
        Assert.Empty(elsewhere.All);
    }

    /// <summary>One notification that the receiver cannot take is set aside; those behind it are delivered.</summary>
    [Fact]
    public async Task EventThatTheReceiverCannotTake_IsSetAside_AndTheOthersGoOn()
    {
        var box = Host.Open();
        var (id, patient) = await SubscribeAsync(box);
        string? poison = null;
        box.Answer((received, _) => Volatile.Read(ref poison) is not { } known ? new(503) : new(received.Body.Contains(known, StringComparison.Ordinal) ? 422 : 200));
        Volatile.Write(ref poison, await server.ObserveAsync(patient, "poison"));
        await server.ObserveAsync(patient);
        await server.ObserveAsync(patient);
        var bundles = await box.EventsUpToAsync(3);

        Assert.DoesNotContain(1, bundles.SelectMany(Notice.NumbersOf));
        var status = (await server.GetAsync($"Subscription/{id}/$status")).Body!["entry"]![0]!["resource"]!;
        Notice.IsStatus(status, id, "query-status", "active");
        Assert.Contains("Events 1 to 1 were not delivered (http-422)", (string?)Notice.Parameter(status, "error")!["text"], StringComparison.Ordinal);
        Assert.Equal([1], Notice.NumbersOf((await server.GetAsync($"Subscription/{id}/$events?eventsUntilNumber=1")).Body!));
    }

    /// <summary>A name that leads to a private address is found out when it is connected to, whatever it led to before.</summary>
    [Fact]
    public async Task NameThatLeadsInside_IsNotConnectedTo()
    {
        Assert.SkipWhen(Dns.GetHostName() is "localhost", "This machine has no name of its own.");
        var subscription = await MakeAsync(Host.Open());
        subscription["channel"]!["endpoint"] = $"https://{Dns.GetHostName()}/hook";
        var created = (await server.PostAsync("Subscription", subscription)).Is(HttpStatusCode.Created);

        var failed = await server.StatusIsAsync(created.Id, "error");
        Assert.Contains("private", (string?)failed["error"], StringComparison.Ordinal);
    }

    /// <summary>https://www.standardwebhooks.com: webhook-signature over id, timestamp and body; a repetition has the same id.</summary>
    [Fact]
    public async Task SigningSecret_SignsEveryNotification()
    {
        var box = Host.Open();
        var key = RandomNumberGenerator.GetBytes(32);
        var secret = "whsec_" + Convert.ToBase64String(key);
        var (_, patient) = await SubscribeAsync(box, subscription =>
            subscription["channel"]!["extension"] = new JsonArray(new JsonObject { ["url"] = "urn:fhir-server:subscription-signing-secret", ["valueString"] = secret }));
        var failed = false;
        box.Answer((_, _) => !failed && (failed = true) ? new(503) : new(200));
        await server.ObserveAsync(patient);
        await box.WhenAsync(received => received.Count == 3 ? received : null);

        Assert.All(box.All, received =>
        {
            var signed = Encoding.UTF8.GetBytes($"{received.Headers["webhook-id"]}.{received.Headers["webhook-timestamp"]}.{received.Body}");
            Assert.Equal($"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, signed))}", received.Headers["webhook-signature"]);
        });
        Assert.Equal(box.All[1].Headers["webhook-id"], box.All[2].Headers["webhook-id"]);
        Assert.Equal((string?)box.All[1].Json!["id"], (string?)box.All[2].Json!["id"]);
    }

    /// <summary>https://hl7.org/fhir/R4/subscription-definitions.html#Subscription.end; off means off, and on again counts on.</summary>
    [Fact]
    public async Task Off_StopsCounting_AndOnAgainGoesOnWithTheNextNumber()
    {
        var box = Host.Open();
        var (id, patient) = await SubscribeAsync(box);
        await server.ObserveAsync(patient);
        await box.EventsUpToAsync(1);
        var subscription = (await server.GetAsync($"Subscription/{id}")).Body!;
        subscription["status"] = "off";
        (await server.PutAsync($"Subscription/{id}", subscription)).Is(HttpStatusCode.OK);
        await server.ObserveAsync(patient);
        subscription["status"] = "requested";
        (await server.PutAsync($"Subscription/{id}", subscription)).Is(HttpStatusCode.OK);
        await server.StatusIsAsync(id, "active");
        await server.ObserveAsync(patient);

        await box.EventsUpToAsync(2);
        Assert.Equal([1, 2], box.Events.SelectMany(Notice.NumbersOf));
        Assert.Equal(2, box.Of("handshake").Count);
    }

    [Fact]
    public async Task End_TurnsItOff()
    {
        var box = Host.Open();
        var (id, _) = await SubscribeAsync(box, subscription => subscription["end"] = TimeProvider.System.GetUtcNow().AddSeconds(3).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture));

        await server.StatusIsAsync(id, "off");
    }

    /// <summary>What is deleted is not told any more; made again under its id it begins with 1.</summary>
    [Fact]
    public async Task DeletedSubscription_IsForgotten_AndBeginsAnewWhenItIsMadeAgain()
    {
        var box = Host.Open();
        var (id, patient) = await SubscribeAsync(box);
        await server.ObserveAsync(patient);
        await box.EventsUpToAsync(1);
        (await server.DeleteAsync($"Subscription/{id}")).Is(HttpStatusCode.NoContent);
        (await server.GetAsync($"Subscription/{id}/$status")).Refused(HttpStatusCode.NotFound);
        await server.ObserveAsync(patient);
        var again = Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}");
        again["id"] = id;
        (await server.PutAsync($"Subscription/{id}", again)).Is(HttpStatusCode.Created);
        await server.StatusIsAsync(id, "active");
        await server.ObserveAsync(patient);

        await box.WhenAsync(_ => box.Events.Count >= 2 ? box : null);
        Assert.Equal([1, 1], box.Events.SelectMany(Notice.NumbersOf));
    }

    private async Task<(string Id, string Patient)> SubscribeAsync(Mailbox box, Action<JsonObject>? change = null)
    {
        var patient = await server.AdmitAsync();
        var subscription = Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}");
        change?.Invoke(subscription);
        return (await server.SubscribeAsync(subscription), patient);
    }

    private async Task<JsonObject> MakeAsync(Mailbox box) => Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={await server.AdmitAsync()}");
}
