using System.Text.Json.Nodes;
using FhirCore;
using SchedulingOperations.Tests.Support;
using static SchedulingOperations.Tests.Support.Clinic;

namespace SchedulingOperations.Tests.Booking;

/// <summary>Every commit of an operation says who made the appointments what they are, and of which version.</summary>
public sealed class ProvenanceTests
{
    [Fact]
    public async Task EveryOperation_TellsWhoDidIt_OfTheVersionItMade()
    {
        using var clinic = await (await Clinic.OpenAsync()).WithDoctorAsync();
        var hold = await clinic.HoldAsync(Half(0));
        await clinic.InvokeAsync(SchedulingOperation.Confirm, null, hold.Id);
        var moved = await clinic.InvokeAsync(SchedulingOperation.Reschedule, Parameters(("start", Tomorrow(9, 30))), hold.Id);
        Assert.True(moved.Status == 200, moved.Text);
        Assert.Equal(200, (await clinic.CancelAsync(hold.Id, client: "other")).Status);
        var booked = await clinic.BookAsync(Half(2, patient: "pat2"));

        Assert.Equal(
            [
                $"$book CREATE Appointment/{booked.Id}/_history/1 by app", $"$cancel UPDATE Appointment/{hold.Id}/_history/4 by other", $"$confirm UPDATE Appointment/{hold.Id}/_history/2 by app",
                $"$hold CREATE Appointment/{hold.Id}/_history/1 by app", $"$reschedule UPDATE Appointment/{hold.Id}/_history/3 by app",
            ],
            await ToldAsync(clinic));
        Assert.Equal("2030-01-07T08:00:00.000Z", (string?)(await clinic.AllAsync("Provenance"))[0]["recorded"]);
    }

    [Fact]
    public async Task APerson_IsTheAuthor_AndTheAppIsNamedBesides()
    {
        using var clinic = await (await Clinic.OpenAsync()).WithDoctorAsync();
        var outcome = await clinic.Api.InvokeAsync(new()
        {
            Operation = SchedulingOperation.Book,
            Body = System.Text.Json.JsonSerializer.SerializeToElement(Half(0)),
            ClientId = "app\naccount",
            Author = new("app", "account", new ResourceKey("Patient", "pat1")),
            BaseUrl = BaseUrl,
        }, default);
        Assert.True(outcome.TryGet(out _, out _));

        var agents = Assert.Single(await clinic.AllAsync("Provenance"))["agent"]!.AsArray();
        Assert.Equal(2, agents.Count);
        Assert.Equal(("author", "Patient/pat1", "account"), ((string?)agents[0]!["type"]!["coding"]![0]!["code"], (string?)agents[0]!["who"]!["reference"], (string?)agents[0]!["who"]!["identifier"]!["value"]));
        Assert.Equal(("110150", null, "app"), ((string?)agents[1]!["type"]!["coding"]![0]!["code"], (string?)agents[1]!["who"]!["reference"], (string?)agents[1]!["who"]!["identifier"]!["value"]));
    }

    [Fact]
    public async Task WhatWritesNothing_TellsOfNothing()
    {
        using var clinic = await (await Clinic.OpenAsync()).WithDoctorAsync();
        var booked = await clinic.BookAsync(Half(0), key: "k");
        Assert.Equal(booked.Id, (await clinic.BookAsync(Half(0), key: "k")).Id);
        Assert.Equal(409, (await clinic.BookAsync(Half(0, patient: "pat2"))).Status);
        Assert.Equal(404, (await clinic.CancelAsync("nobody")).Status);
        Assert.Equal(200, (await clinic.CancelAsync(booked.Id)).Status);
        await clinic.CancelAsync(booked.Id); // again
        await clinic.FindAsync($"start={Tomorrow(0)}&end={Tomorrow(23)}");

        Assert.Equal([$"$book CREATE Appointment/{booked.Id}/_history/1 by app", $"$cancel UPDATE Appointment/{booked.Id}/_history/2 by app"], await ToldAsync(clinic));
    }

    [Fact]
    public async Task AHoldThatIsOver_IsEndedByTheServer_SweptOrComeUpon()
    {
        using var clinic = await (await Clinic.OpenAsync()).WithDoctorAsync();
        var swept = await clinic.HoldAsync(Half(0));
        clinic.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(1, await clinic.Expiry.SweepAsync(default));
        var found = await clinic.HoldAsync(Half(1));
        clinic.Clock.Advance(TimeSpan.FromMinutes(6));
        var booked = await clinic.BookAsync(Half(1, patient: "pat2"), "other");
        Assert.True(booked.Status == 201, booked.Text);

        var told = await ToldAsync(clinic);
        Assert.Equal(
            [$"hold-expired UPDATE Appointment/{swept.Id}/_history/2 by {BaseUrl}", $"hold-expired UPDATE Appointment/{found.Id}/_history/2 by {BaseUrl}"],
            told.Where(line => line.StartsWith("hold-expired", StringComparison.Ordinal)));
        Assert.Equal([$"$book CREATE Appointment/{booked.Id}/_history/1 by other"], told.Where(line => line.StartsWith("$book", StringComparison.Ordinal)));
        Assert.Equal(5, told.Count);
    }

    [Fact]
    public async Task APatientMadeOnTheWay_IsToldOfTogetherWithTheAppointment()
    {
        using var clinic = await (await Clinic.OpenAsync()).WithDoctorAsync();
        var body = Parameters(("appt-resource", Proposed("a0", Tomorrow(9), Tomorrow(9, 30))), ("patient-resource", JsonNode.Parse("""{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"new"}],"name":[{"family":"New"}]}""")!.AsObject()));
        var booked = await clinic.InvokeAsync(SchedulingOperation.Book, body, mayCreatePatient: true);
        Assert.True(booked.Status == 201, booked.Text);

        var targets = Assert.Single(await clinic.AllAsync("Provenance"))["target"]!.AsArray().Select(target => (string)target!["reference"]!).Order(StringComparer.Ordinal).ToList();
        Assert.Equal($"Appointment/{booked.Id}/_history/1", targets[0]);
        var made = (await clinic.AllAsync("Patient")).Single(patient => patient.ToJsonString().Contains("\"New\"", StringComparison.Ordinal));
        Assert.Equal($"Patient/{made["id"]}/_history/1", Assert.Single(targets.Skip(1)));
    }

    [Fact]
    public async Task SwitchedOff_NothingIsStored()
    {
        using var clinic = await (await Clinic.OpenAsync(options => options.Provenance = false)).WithDoctorAsync();
        await clinic.BookAsync(Half(0));
        await clinic.HoldAsync(Half(1));
        clinic.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(1, await clinic.Expiry.SweepAsync(default));

        Assert.Empty(await clinic.AllAsync("Provenance"));
    }

    private static async Task<List<string>> ToldAsync(Clinic clinic) =>
        [.. (await clinic.AllAsync("Provenance")).Select(static provenance =>
            $"{provenance["activity"]!["text"]} {provenance["activity"]!["coding"]![0]!["code"]} {string.Join(' ', provenance["target"]!.AsArray().Select(target => (string)target!["reference"]!))} by {Assert.Single(provenance["agent"]!.AsArray())!["who"]!["identifier"]!["value"]}").Order(StringComparer.Ordinal)];
}
