using System.Text.Json.Nodes;

namespace FhirServer.Tests;

/// <summary>The main job over HTTP: a time is found, booked once, and given back.</summary>
public sealed class BookingTests(ServerFixture server)
{
    private readonly FhirClient _client = server.Client;

    [Fact]
    public async Task Book_ThousandAtOnceOnOneSlot_ExactlyOneIsCreated()
    {
        var clinic = await OpenAsync();
        var body = Proposal(clinic);
        var answers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Task.Run(() => _client.PostAsync("Appointment/$book", body))));

        var created = Assert.Single(answers, answer => answer.Status == 201);
        Assert.All(answers, answer => Assert.True(answer.Status is 201 or 409, answer.Text));
        Assert.All(answers.Where(answer => answer.Status == 409), answer => Assert.Equal("conflict", (string?)answer.Issues[0]["code"]));
        var booked = Assert.Single(await _client.SearchAllAsync($"Appointment?slot=Slot/{clinic.Slot}"));
        Assert.Equal("booked", (string?)booked["status"]);
        Assert.Contains((string)booked["id"]!, created.Location, StringComparison.Ordinal);
        Assert.Equal("busy", (string?)(await _client.GetAsync($"Slot/{clinic.Slot}")).Json["status"]);
        Assert.Single((await _client.GetAsync($"Appointment/{(string)booked["id"]!}/_history")).Entries);
    }

    [Fact]
    public async Task Book_ReadBack_Cancel_FreesTheSlot()
    {
        var clinic = await OpenAsync();
        var booked = await _client.PostAsync("Appointment/$book", Proposal(clinic));
        Assert.True(booked.Status == 201, booked.Text);
        var id = booked.Id;
        Assert.Equal(booked.Bytes, (await _client.GetAsync($"Appointment/{id}")).Bytes);
        var cancelled = await _client.PostAsync($"Appointment/{id}/$cancel", """{"resourceType":"Parameters"}""");
        Assert.True(cancelled.Status == 200, cancelled.Text);
        Assert.Equal("cancelled", (string?)(await _client.GetAsync($"Appointment/{id}")).Json["status"]);
        Assert.Equal("free", (string?)(await _client.GetAsync($"Slot/{clinic.Slot}")).Json["status"]);
        Assert.Equal(201, (await _client.PostAsync("Appointment/$book", Proposal(clinic))).Status);
    }

    [Fact]
    public async Task Book_WithOneIdempotencyKey_IsBookedOnce()
    {
        var clinic = await OpenAsync();
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var first = await _client.PostAsync("Appointment/$book", Proposal(clinic), key);
        var again = await _client.PostAsync("Appointment/$book", Proposal(clinic), key);
        Assert.True(first.Status == 201, first.Text);
        Assert.True(again.Status is 200 or 201, again.Text);
        Assert.Equal(first.Bytes, again.Bytes);
        Assert.Equal(422, (await _client.PostAsync("Appointment/$book", Proposal(await OpenAsync()), key)).Status);
    }

    [Fact]
    public async Task Book_OfThePast_IsRefused()
    {
        var clinic = await OpenAsync(new DateTimeOffset(2001, 1, 1, 9, 0, 0, TimeSpan.Zero));
        Assert.Equal(422, (await _client.PostAsync("Appointment/$book", Proposal(clinic))).Status);
    }

    [Fact]
    public async Task Find_OffersTheFreeSlotByGetAndPost()
    {
        var clinic = await OpenAsync();
        var query = $"start={clinic.Start:yyyy-MM-dd}T00:00:00Z&end={clinic.Start.AddDays(1):yyyy-MM-dd}T00:00:00Z&schedule=Schedule/{clinic.Schedule}";
        var found = await _client.GetAsync($"Appointment/$find?{query}");
        Assert.True(found.Status == 200, found.Text);
        Assert.Single(found.Matches);
        Assert.Equal("proposed", (string?)found.Matches[0]["status"]);
    }

    [Fact]
    public async Task Hold_TellsWhenItEnds()
    {
        var clinic = await OpenAsync();
        var held = await _client.PostAsync("Appointment/$hold", Proposal(clinic));
        Assert.True(held.Status is 200 or 201, held.Text);
        Assert.NotNull(held.Response.Content.Headers.Expires);
        Assert.Equal(409, (await _client.PostAsync("Appointment/$book", Proposal(clinic))).Status);
    }

    [Fact]
    public async Task PlainCreate_OfABookedAppointment_PassesTheSameRules()
    {
        var clinic = await OpenAsync();
        var body = JsonNode.Parse(Proposal(clinic))!.AsObject();
        body["status"] = "booked";
        Assert.Equal(201, (await _client.PostAsync("Appointment", body.ToJsonString())).Status);
        Assert.Equal(409, (await _client.PostAsync("Appointment", body.ToJsonString())).Status);
        Assert.Equal("busy", (string?)(await _client.GetAsync($"Slot/{clinic.Slot}")).Json["status"]);
    }

    private sealed record Clinic(string Patient, string Schedule, string Slot, DateTimeOffset Start);

    private async Task<Clinic> OpenAsync(DateTimeOffset? at = null)
    {
        var name = Guid.NewGuid().ToString();
        var start = at ?? new DateTimeOffset(2041, 6, 3, 9, 0, 0, TimeSpan.Zero);
        var answer = await _client.PostAsync("", BundleTests.Bundle("transaction",
            BundleTests.Put($"Patient/p-{name}", $$"""{"resourceType":"Patient","id":"p-{{name}}","active":true}"""),
            BundleTests.Put($"Practitioner/d-{name}", $$"""{"resourceType":"Practitioner","id":"d-{{name}}","active":true}"""),
            BundleTests.Put($"Schedule/c-{name}", $$"""{"resourceType":"Schedule","id":"c-{{name}}","active":true,"actor":[{"reference":"Practitioner/d-{{name}}"}]}"""),
            BundleTests.Put($"Slot/s-{name}", $$"""{"resourceType":"Slot","id":"s-{{name}}","schedule":{"reference":"Schedule/c-{{name}}"},"status":"free","start":"{{start:yyyy-MM-ddTHH:mm:ssZ}}","end":"{{start.AddMinutes(30):yyyy-MM-ddTHH:mm:ssZ}}"}""")));
        Assert.True(answer.Status == 200, answer.Text);
        return new($"p-{name}", $"c-{name}", $"s-{name}", start);
    }

    private static string Proposal(Clinic clinic) =>
        $$"""
        {"resourceType":"Appointment","status":"proposed","slot":[{"reference":"Slot/{{clinic.Slot}}"}],
         "start":"{{clinic.Start:yyyy-MM-ddTHH:mm:ssZ}}","end":"{{clinic.Start.AddMinutes(30):yyyy-MM-ddTHH:mm:ssZ}}",
         "participant":[{"actor":{"reference":"Patient/{{clinic.Patient}}","display":"P"},"status":"accepted"}]}
        """;
}
