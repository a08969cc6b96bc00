using System.Text.Json.Nodes;
using SchedulingOperations.Tests.Support;
using static SchedulingOperations.Tests.Support.Clinic;

namespace SchedulingOperations.Tests.Booking;

/// <summary>IHE ITI Scheduling, transactions 115 to 117, as a client of that profile calls them.</summary>
public sealed class IheTests
{
    [Fact]
    public async Task FindHoldBook_TheWholeWay()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var found = await clinic.InvokeAsync(SchedulingOperation.Find, Parameters(
            ("start", new JsonObject { ["valueDateTime"] = Tomorrow(0) }), ("end", new JsonObject { ["valueDateTime"] = Tomorrow(23) }), ("practitioner", Ref("Practitioner/dr-a"))),
            dialect: SchedulingDialect.Ihe);
        Assert.Equal((200, 6), (found.Status, (int)found.Body!["total"]!));
        var proposal = found.Appointments[2];
        Assert.Equal("proposed", (string)proposal["status"]!);
        Assert.NotNull(proposal["requestedPeriod"]);

        var hold = await clinic.HoldAsync(Parameters(("appointment-reference", Ref($"Appointment/{(string)proposal["id"]!}"))));
        Assert.True(hold.Status == 201, hold.Text);
        Assert.Equal((string)proposal["start"]!, (string)hold.Appointment["start"]!);
        Assert.Equal("busy-tentative", await clinic.StatusAsync("Slot/a2"));

        var booked = await clinic.BookAsync(
            Parameters(("appointment-reference", Ref($"Appointment/{hold.Id}")), ("patient-resource", JsonNode.Parse("""{"resourceType":"Patient","id":"theirs","identifier":[{"system":"urn:mrn","value":"1"}]}""")!.AsObject()), ("comment", "hello")),
            dialect: SchedulingDialect.Ihe);
        Assert.True(booked.Status == 200, booked.Text);
        Assert.Equal(("searchset", 1, hold.Id), ((string)booked.Body!["type"]!, (int)booked.Body["total"]!, booked.Id));
        Assert.Contains(booked.Appointment["participant"]!.AsArray(), p => (string)p!["actor"]!["reference"]! == "Patient/pat1");
        Assert.Equal("hello", (string)booked.Appointment["comment"]!);
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a2"));

        var change = booked.Appointment.DeepClone().AsObject();
        change["status"] = "cancelled";
        var cancelled = await clinic.BookAsync(Parameters(("appointment-resource", change)), dialect: SchedulingDialect.Ihe);
        Assert.Equal((200, "cancelled"), (cancelled.Status, (string)cancelled.Appointment["status"]!));
        Assert.Equal("free", await clinic.StatusAsync("Slot/a2"));
    }

    [Fact]
    public async Task Book_ProposalDirectly_IsCreated()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var proposal = (await clinic.FindAsync($"start={Tomorrow(0)}&end={Tomorrow(23)}")).Appointments[0];
        var body = Parameters(("appointment-reference", Ref($"{BaseUrl}/Appointment/{(string)proposal["id"]!}")), ("patient-reference", Ref("Patient/pat1")));
        var booked = await clinic.BookAsync(body);
        Assert.True(booked.Status == 201, booked.Text);
        Assert.Equal("Slot/a0", (string)booked.Appointment["slot"]![0]!["reference"]!);
        var again = await clinic.BookAsync(body);
        Assert.Equal(409, again.Status);
        Assert.Equal("Bundle", (string)again.Body!["resourceType"]!);
    }

    [Fact] // 25
    public async Task Book_Refused_IsABundleWithOnlyAFatalOutcome()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        await clinic.BookAsync(Half(0));
        var refused = await clinic.BookAsync(Half(0), dialect: SchedulingDialect.Ihe);
        Assert.Equal(409, refused.Status);
        Assert.Equal(0, (int)refused.Body!["total"]!);
        var outcome = Assert.Single(refused.Body["entry"]!.AsArray())!["resource"]!;
        Assert.Equal("OperationOutcome", (string)outcome["resourceType"]!);
        Assert.Equal("slot-unavailable", (string)outcome["issue"]![0]!["details"]!["coding"]![0]!["code"]!);
        Assert.Contains(outcome["issue"]!.AsArray(), i => (string)i!["severity"]! == "fatal" && (string)i["code"]! == "not-found");
    }

    [Fact] // 24
    public async Task Book_ForeignReference_IsRefused()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        Assert.Equal(422, (await clinic.BookAsync(Parameters(("appointment-reference", Ref("https://elsewhere/fhir/Appointment/x"))))).Status);
        Assert.Equal(422, (await clinic.BookAsync(Parameters(("appointment-reference", Ref("Appointment/none"))))).Status);
    }

    [Fact] // 26
    public async Task Book_BothOrNeither_Is400()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        Assert.Equal(400, (await clinic.BookAsync(Parameters(("appointment-reference", Ref("Appointment/x")), ("appointment-resource", Half(0))))).Status);
        Assert.Equal(400, (await clinic.BookAsync(Parameters(("comment", "x")))).Status);
        Assert.Equal(400, (await clinic.InvokeAsync(SchedulingOperation.Book, null)).Status);
        Assert.Equal(400, (await clinic.BookAsync(Parameters(("appointment-reference", Ref("Appointment/x")), ("appointment-reference", Ref("Appointment/y"))))).Status);
    }

    [Fact] // C19
    public async Task Book_UnknownPatientResource_IsCreatedOnlyWhereAllowed()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var body = Half(0);
        body["participant"] = JsonNode.Parse("""[{"actor":{"reference":"Practitioner/dr-a"},"status":"needs-action"}]""");
        var parameters = Parameters(("appointment-resource", body), ("patient-resource", JsonNode.Parse("""{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"new"}]}""")!.AsObject()));
        Assert.Equal(422, (await clinic.BookAsync(parameters)).Status);
        var booked = await clinic.InvokeAsync(SchedulingOperation.Book, parameters, mayCreatePatient: true);
        Assert.True(booked.Status == 201, booked.Text);
        var patient = Assert.Single(await clinic.AllAsync("Patient"), p => p["identifier"] is { } ids && (string)ids[0]!["value"]! == "new");
        Assert.Contains(booked.Appointment["participant"]!.AsArray(), p => (string)p!["actor"]!["reference"]! == $"Patient/{(string)patient["id"]!}");
    }

    [Fact]
    public async Task Book_WithIheProfile_AnswersInItsShape()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var body = Half(0);
        body["meta"] = JsonNode.Parse("""{"profile":["https://profiles.ihe.net/ITI/Scheduling/StructureDefinition/ihe-sched-appt"]}""");
        Assert.Equal("Bundle", (string)(await clinic.BookAsync(body)).Body!["resourceType"]!);
    }
}
