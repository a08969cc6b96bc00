using System.Text.Json.Nodes;

namespace FhirServer.Tests.Processes;

/// <summary>What one process does the others know at once: three servers on one store.</summary>
public sealed class AcrossProcessesTests : IAsyncLifetime
{
    private const int Slots = 40;
    private readonly SharedDatabase _database = new();
    private readonly List<FhirClient> _clients = [];

    public async ValueTask InitializeAsync()
    {
        for (var i = 0; i < 3; i++)
        {
            _clients.Add(await (await _database.StartAsync()).SignInAsync());
        }
        var entries = new JsonArray(
            Put("""{"resourceType":"Patient","id":"p1","active":true}"""),
            Put("""{"resourceType":"Practitioner","id":"d1","active":true}"""),
            Put("""{"resourceType":"Schedule","id":"s1","active":true,"actor":[{"reference":"Practitioner/d1"}]}"""));
        for (var i = 0; i < Slots; i++)
        {
            entries.Add(Put($$"""{"resourceType":"Slot","id":"slot-{{i}}","schedule":{"reference":"Schedule/s1"},"status":"free","start":"{{At(i)}}","end":"{{At(i + 1)}}"}"""));
        }
        var made = await _clients[0].PostAsync("", new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction", ["entry"] = entries }.ToJsonString());
        Assert.True(made.Status == 200, made.Text);
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(client => client.Dispose());
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task EverySlotBookedThroughEveryProcessAtOnce_OneWins()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, Slots).SelectMany(slot =>
            _clients.Select(client => Task.Run(async () => (slot, await client.PostAsync("Appointment/$book", Booking(slot)))))));
        foreach (var bySlot in answers.GroupBy(answer => answer.slot, answer => answer.Item2.Status))
        {
            Assert.Equal([201, 409, 409], bySlot.Order());
        }
        foreach (var client in _clients)
        {
            Assert.Equal(Slots, (await client.SearchAllAsync("Slot?schedule=Schedule/s1&status=busy")).Count);
            Assert.Equal(Slots, (await client.SearchAllAsync("Appointment?status=booked")).Count);
            Assert.Empty((await client.GetAsync($"Appointment/$find?start={At(0)}&end={At(Slots)}&practitioner=Practitioner/d1")).Matches);
        }
    }

    [Fact]
    public async Task WhatOneProcessDid_TheNextKnows()
    {
        for (var round = 0; round < Slots; round++)
        {
            var (here, there) = (_clients[round % 3], _clients[(round + 1) % 3]);
            Assert.NotEmpty((await there.GetAsync($"Slot?schedule=Schedule/s1&status=free&start={At(round)}")).Matches);
            var booked = await here.PostAsync("Appointment/$book", Booking(round), ("Idempotency-Key", $"key-{round}"));
            Assert.True(booked.Status == 201, booked.Text);
            Assert.Empty((await there.GetAsync($"Slot?schedule=Schedule/s1&status=free&start={At(round)}")).Matches);
            var again = await there.PostAsync("Appointment/$book", Booking(round), ("Idempotency-Key", $"key-{round}"));
            Assert.Equal((201, booked.Id), (again.Status, again.Id));
            Assert.True(again.Response.Headers.Contains("Idempotency-Replayed"));
            Assert.Equal(200, (await there.PostAsync($"Appointment/{booked.Id}/$cancel", """{"resourceType":"Parameters"}""")).Status);
            Assert.NotEmpty((await here.GetAsync($"Slot?schedule=Schedule/s1&status=free&start={At(round)}")).Matches);
        }
    }

    [Fact]
    public async Task PageOfOneProcess_IsTurnedByAnother()
    {
        var first = await _clients[0].GetAsync("Slot?schedule=Schedule/s1&_count=15");
        var next = new Uri(first.Link("next")!).PathAndQuery;
        var second = await _clients[1].GetAsync(next["/fhir/".Length..]);
        Assert.Equal(200, second.Status);
        Assert.Empty(first.Matches.Select(slot => (string)slot["id"]!).Intersect(second.Matches.Select(slot => (string)slot["id"]!)));
    }

    private static string At(int minute) => $"{new DateTimeOffset(2041, 5, 1, 8, 0, 0, TimeSpan.Zero).AddMinutes(minute):yyyy-MM-ddTHH:mm:ssZ}";

    private static string Booking(int slot) => $$"""
        {"resourceType":"Appointment","status":"proposed","slot":[{"reference":"Slot/slot-{{slot}}"}],"start":"{{At(slot)}}","end":"{{At(slot + 1)}}",
         "participant":[{"actor":{"reference":"Patient/p1"},"status":"accepted"}]}
        """;

    private static JsonObject Put(string json)
    {
        var resource = JsonNode.Parse(json)!.AsObject();
        return new()
        {
            ["resource"] = resource,
            ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = $"{resource["resourceType"]}/{resource["id"]}" },
        };
    }
}
