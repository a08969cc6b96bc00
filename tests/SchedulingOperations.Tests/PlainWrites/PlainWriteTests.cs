using System.Text.Json.Nodes;
using FhirCore;
using SchedulingOperations.Tests.Support;
using static SchedulingOperations.Tests.Support.Clinic;

namespace SchedulingOperations.Tests.PlainWrites;

/// <summary>There is no back door around a slot: 6, 7 and what follows from them.</summary>
public sealed class PlainWriteTests
{
    [Fact] // 6
    public async Task Post_BookedAppointment_TakesItsSlot()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var stored = await clinic.PutAsync(Booked(0));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        Assert.Contains("Practitioner/dr-a", System.Text.Encoding.UTF8.GetString(stored.Json.Span), StringComparison.Ordinal);
        Refused(await clinic.TryPutAsync(Booked(0, "pat2")), FailureKind.Conflict, "slot-unavailable");
        Refused(await clinic.TryPutAsync(SlotJson("a0", "sched-a", Tomorrow(9), Tomorrow(9, 30))), FailureKind.Conflict, "slot-in-use");
        Refused(await clinic.TryPutAsync(SlotJson("a0", "sched-a", Tomorrow(9), Tomorrow(9, 45), "busy")), FailureKind.Conflict, "slot-in-use");
        Assert.Equal("slot-in-use", (await clinic.DeleteAsync("Slot/a0")).Failure!.Issues[0].Detail);
        await clinic.PutAsync(SlotJson("a0", "sched-a", Tomorrow(9), Tomorrow(9, 30), "busy", ",\"comment\":\"edited\""));
        Assert.Equal(409, (await clinic.BookAsync(Half(0))).Status);
    }

    [Fact]
    public async Task Post_PendingAppointment_MakesTheSlotTentativeAndBookingMakesItBusy()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var pending = Node(await clinic.PutAsync(Booked(0, status: "pending")));
        Assert.Equal("busy-tentative", await clinic.StatusAsync("Slot/a0"));
        clinic.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(0, await clinic.Expiry.SweepAsync(default)); // C10: waits for approval, is no hold
        pending["status"] = "booked";
        await clinic.PutAsync(pending);
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        pending["status"] = "checked-in";
        pending = Node(await clinic.PutAsync(pending));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        pending["status"] = "fulfilled";
        pending = Node(await clinic.PutAsync(pending));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        pending["status"] = "booked";
        Refused(await clinic.TryPutAsync(pending), FailureKind.Unprocessable, "status-transition");
        pending["status"] = "entered-in-error";
        await clinic.PutAsync(pending);
    }

    [Fact]
    public async Task Put_CancelOrDelete_FreesTheSlotOnce()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var first = Node(await clinic.PutAsync(Booked(0)));
        first["status"] = "cancelled";
        await clinic.PutAsync(first);
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
        var second = Node(await clinic.PutAsync(Booked(0, "pat2")));
        first["comment"] = "late remark";
        await clinic.PutAsync(first);
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        await clinic.DeleteAsync($"Appointment/{(string)first["id"]!}");
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        await clinic.DeleteAsync($"Appointment/{(string)second["id"]!}");
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
    }

    [Fact] // C16
    public async Task Put_OtherTimeSlotOrPatient_IsNotTheWayToMove()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var booked = Node(await clinic.PutAsync(Booked(0)));
        void Fixed(Outcome<FhirStore.StoredResource> outcome) => Refused(outcome, FailureKind.Unprocessable, "appointment-fixed");
        var change = booked.DeepClone().AsObject();
        change["end"] = Tomorrow(9, 20);
        Fixed(await clinic.TryPutAsync(change));
        change = booked.DeepClone().AsObject();
        change["slot"]![0]!["reference"] = "Slot/a1";
        Fixed(await clinic.TryPutAsync(change));
        change = booked.DeepClone().AsObject();
        change["participant"]![0]!["actor"]!["reference"] = "Patient/pat2";
        Fixed(await clinic.TryPutAsync(change));
        change = booked.DeepClone().AsObject();
        change["start"] = "2030-01-08T10:00:00+01:00"; // the same instant
        change["comment"] = "ok";
        await clinic.PutAsync(change);
    }

    [Fact] // 7
    public async Task Transaction_TwoBookingsOfOneSlot_FailsWhole()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var outcome = await clinic.TransactAsync(Booked(0).ToJsonString(), Booked(0, "pat2").ToJsonString());
        Assert.Equal("slot-unavailable", outcome.Failure!.Issues[0].Detail);
        Assert.Equal("Bundle.entry[1].resource.slot", outcome.Failure.Issues[0].Expression);
        Assert.Empty(await clinic.AllAsync("Appointment"));
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
    }

    [Fact]
    public async Task Transaction_TwoOverlappingVisitsOfOneDoctor_FailsWhole()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        string Visit(string start, string end) => $$"""
            {"resourceType":"Appointment","status":"booked","start":"{{start}}","end":"{{end}}","participant":[{"actor":{"reference":"Practitioner/dr-z"},"status":"accepted"}]}
            """;
        Assert.NotNull((await clinic.TransactAsync(Visit(Tomorrow(9), Tomorrow(10)), Visit(Tomorrow(9, 30), Tomorrow(10, 30)))).Failure);
        Assert.Null((await clinic.TransactAsync(Visit(Tomorrow(9), Tomorrow(10)), Visit(Tomorrow(10), Tomorrow(10, 30)))).Failure);
        Refused(await clinic.TryPutAsync(Visit(Tomorrow(9, 50), Tomorrow(9, 55))), FailureKind.Conflict, "slot-unavailable");
    }

    [Fact]
    public async Task Transaction_ClientSetsTheSlotBusyItself_IsOneBooking()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        Assert.Null((await clinic.TransactAsync(SlotJson("a0", "sched-a", Tomorrow(9), Tomorrow(9, 30), "busy"), Booked(0).ToJsonString())).Failure);
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        var again = Booked(1);
        again["id"] = "mine";
        Assert.Null((await clinic.TransactAsync(SlotJson("new", "sched-a", Tomorrow(13), Tomorrow(13, 30)), again.ToJsonString())).Failure);
    }

    [Fact]
    public async Task Transaction_CancelOneAndBookAnotherIntoItsSlot_Works()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var first = Node(await clinic.PutAsync(Booked(0)));
        first["status"] = "cancelled";
        var outcome = await clinic.TransactAsync(Booked(0, "pat2").ToJsonString(), first.ToJsonString());
        Assert.True(outcome.Failure is null, outcome.Failure?.Issues[0].Diagnostics);
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
    }

    [Fact]
    public async Task Put_PastAppointments_AreHistoryUnlessTheyBookAFreeSlot()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        await clinic.PutAsync(Proposed("nowhere", "2013-12-09T09:00:00Z", "2013-12-09T11:00:00Z", status: "booked"));
        await clinic.PutAsync(Proposed("nowhere", "2013-12-09T09:30:00Z", "2013-12-09T11:00:00Z", status: "booked"));
        await clinic.PutAsync(SlotJson("gone", "sched-a", "2030-01-06T09:00:00Z", "2030-01-06T10:00:00Z"));
        await clinic.PutAsync(SlotJson("used", "sched-a", "2030-01-06T10:00:00Z", "2030-01-06T11:00:00Z", "busy"));
        Refused(await clinic.TryPutAsync(Proposed("gone", "2030-01-06T09:00:00Z", "2030-01-06T10:00:00Z", status: "booked")), FailureKind.Unprocessable, "in-the-past");
        await clinic.PutAsync(Proposed("gone", "2030-01-06T09:00:00Z", "2030-01-06T10:00:00Z", status: "fulfilled"));
        await clinic.PutAsync(Proposed("used", "2030-01-06T10:00:00Z", "2030-01-06T11:00:00Z", status: "booked"));
        Refused(await clinic.TryPutAsync(Proposed("nowhere", Tomorrow(9), Tomorrow(10), status: "booked")), FailureKind.Unprocessable, "reference-not-found");
        await clinic.PutAsync(Proposed("nowhere", Tomorrow(9), Tomorrow(10), status: "cancelled"));
        await clinic.PutAsync(Proposed("a0", Tomorrow(9), Tomorrow(9, 30)));
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
    }

    public static TheoryData<string, string> Broken => new()
    {
        { "end", """{"end":"2030-01-08T09:00:00Z"}""" },
        { "hold", """{"status":"pending","extension":[{"url":"urn:fhir-server:appointment-hold-until","valueDateTime":"2035-01-01T00:00:00Z"}]}""" },
    };

    [Theory, MemberData(nameof(Broken))]
    public async Task Put_AgainstARule_IsRefused(string what, string change)
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var body = Booked(0);
        foreach (var (name, value) in JsonNode.Parse(change)!.AsObject())
        {
            if (value is null)
            {
                body.Remove(name);
            }
            else
            {
                body[name] = value.DeepClone();
            }
        }
        var outcome = await clinic.TryPutAsync(body);
        Assert.True(outcome.Failure is { Kind: FailureKind.Unprocessable }, what);
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
    }

    [Fact]
    public async Task Put_SlotThatEndsBeforeItBegins_IsRefused()
    {
        using var clinic = await OpenAsync();
        Refused(await clinic.TryPutAsync(SlotJson("x", "s", Tomorrow(10), Tomorrow(9))), FailureKind.Unprocessable, "end-not-after-start");
        await clinic.PutAsync(SlotJson("x", "s", Tomorrow(9), Tomorrow(10), "entered-in-error"));
        Refused(await clinic.TryPutAsync(SlotJson("x", "s", Tomorrow(9), Tomorrow(10))), FailureKind.Unprocessable, "status-transition");
    }

    [Fact]
    public async Task Put_DeclinedDoctor_DoesNotBlockHim()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        await clinic.PutAsync($$"""
            {"resourceType":"Appointment","status":"booked","start":"{{Tomorrow(9)}}","end":"{{Tomorrow(10)}}","participant":[{"actor":{"reference":"Practitioner/dr-a"},"status":"declined"},{"actor":{"reference":"Patient/pat2"},"status":"accepted"}]}
            """);
        Assert.Equal(201, (await clinic.BookAsync(Half(0))).Status);
    }

    private static JsonObject Booked(int n, string patient = "pat1", string status = "booked")
    {
        var body = Half(n, patient: patient);
        body["status"] = status;
        return body;
    }

    private static JsonObject Node(FhirStore.StoredResource stored) => JsonNode.Parse(stored.Json.Span)!.AsObject();

    private static void Refused(Outcome<FhirStore.StoredResource> outcome, FailureKind kind, string detail)
    {
        Assert.NotNull(outcome.Failure);
        Assert.Equal((kind, detail), (outcome.Failure.Kind, outcome.Failure.Issues[0].Detail));
    }
}
