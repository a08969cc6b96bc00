using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>Whose a subscription is, what of it others see, and what they are told: https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/safety_security.html.</summary>
public sealed class SecretTests(ServerUnderTest server)
{
    private const string Header = "Authorization: Bearer very-secret-token";
    private static SubscriberHost Host => SubscriberHost.Instance;

    /// <summary>The values of headers come back to nobody, by no route.</summary>
    [Fact]
    public async Task HeaderValues_AreReturnedToNobody()
    {
        var box = Host.Open();
        var patient = await server.AdmitAsync();
        var subscription = Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}").Channel("header", new JsonArray(Header));
        subscription["channel"]!["extension"] = new JsonArray(new JsonObject { ["url"] = "urn:fhir-server:subscription-signing-secret", ["valueString"] = "whsec_dmVyeS1zZWNyZXQtdG9rZW4tbXVjaC1sb25nZXI=" });
        var created = (await server.PostAsync("Subscription", subscription)).Is(HttpStatusCode.Created);
        await server.StatusIsAsync(created.Id, "active");

        Assert.Equal("Bearer very-secret-token", box.All[0].Headers["Authorization"]);
        var answers = new[]
        {
            created, await server.GetAsync($"Subscription/{created.Id}"), await server.GetAsync($"Subscription/{created.Id}/_history/1"), await server.GetAsync($"Subscription/{created.Id}/_history"),
            await server.GetAsync($"Subscription?_id={created.Id}"), await server.GetAsync($"Subscription/{created.Id}/$status"), await server.GetAsync($"Subscription/{created.Id}/$events"),
        };
        Assert.All(answers, answer =>
        {
            Assert.True((int)answer.Status < 300, answer.Text);
            Assert.DoesNotContain("secret-token", answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("dmVyeS1zZWNyZXQ", answer.Text, StringComparison.Ordinal);
        });
        Assert.Equal("Authorization: ****", (string?)answers[1].Body!["channel"]!["header"]![0]);
    }

    /// <summary>What was read can be sent back with a change, and the secrets stay; with another endpoint they do not go along.</summary>
    [Fact]
    public async Task MaskedHeader_KeepsItsValue_ForTheSameEndpointOnly()
    {
        var (box, elsewhere) = (Host.Open(), Host.Open());
        var patient = await server.AdmitAsync();
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "empty", $"patient={patient}").Channel("header", new JsonArray(Header)));
        var read = (await server.GetAsync($"Subscription/{id}")).Body!;
        read["reason"] = "Another reason";
        (await server.PutAsync($"Subscription/{id}", read)).Is(HttpStatusCode.OK);
        await server.StatusIsAsync(id, "active");
        Assert.Equal(["Bearer very-secret-token", "Bearer very-secret-token"], box.All.Select(one => one.Headers["Authorization"]));

        read["channel"]!["endpoint"] = elsewhere.Address;
        (await server.PutAsync($"Subscription/{id}", read)).Refused(HttpStatusCode.UnprocessableEntity);
        using var other = await server.SignInAsync("watcher", server.ClientSecret, "system/Subscription.cruds system/Patient.rs");
        read["channel"]!["endpoint"] = box.Address;
        read["status"] = "requested";
        (await ServerUnderTest.SendAsync(other, HttpMethod.Put, $"Subscription/{id}", new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(read.ToJsonString())))).Refused(HttpStatusCode.UnprocessableEntity);
        Assert.Empty(elsewhere.All);
    }

    /// <summary>What the subscriber may not see is not told: not as an id, not as a number.</summary>
    [Fact]
    public async Task WhatIsOutOfReach_IsNeitherToldNorCounted()
    {
        var box = Host.Open();
        var patient = await server.AdmitAsync();
        using var watcher = await server.SignInAsync("watcher", server.ClientSecret, "system/Subscription.cruds system/Observation.rs?code=urn:conformance|a");
        var created = (await PostAsync(watcher, Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", $"patient={patient}"))).Is(HttpStatusCode.Created);
        await SubscriptionSteps.StatusIsAsync(watcher, created.Id, "active");
        var hidden = await server.ObserveAsync(patient, "b");
        var seen = await server.ObserveAsync(patient);
        await server.ObserveAsync(patient, "b");
        var last = await server.ObserveAsync(patient);

        await box.EventsUpToAsync(2);
        Assert.Equal([1, 2], box.Events.SelectMany(Notice.NumbersOf));
        Assert.Equal([seen, last], box.Events.SelectMany(Notice.FocusOf).Select(focus => string.Join('/', focus!.Split('/')[^2..])));
        Assert.DoesNotContain(box.All, one => one.Body.Contains(hidden, StringComparison.Ordinal));
        Assert.Equal(2, Notice.TotalOf((await server.GetAsync($"Subscription/{created.Id}/$status")).Body));
    }

    /// <summary>safety_security.html: topic and filters are taken into account when a subscription is made.</summary>
    [Fact]
    public async Task SubscriptionToWhatMayNotBeRead_IsForbidden()
    {
        var address = Host.Open().Address;
        using var watcher = await server.SignInAsync("watcher", server.ClientSecret, "system/Subscription.cruds system/Observation.rs?code=urn:conformance|a");
        (await PostAsync(watcher, Subscribing.ByTopic(Subscribing.AppointmentTopic, address, "empty"))).Refused(HttpStatusCode.Forbidden);
        (await PostAsync(watcher, Subscribing.ByCriteria("Patient?active=true", address))).Refused(HttpStatusCode.Forbidden);
        using var reader = await server.SignInAsync("reader", server.ClientSecret, "system/Patient.rs");
        (await PostAsync(reader, Subscribing.ByCriteria("Patient?active=true", address))).Refused(HttpStatusCode.Forbidden);
    }

    private static Task<Answer> PostAsync(HttpClient client, JsonObject subscription) =>
        ServerUnderTest.SendAsync(client, HttpMethod.Post, "Subscription", new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(subscription.ToJsonString())));
}
