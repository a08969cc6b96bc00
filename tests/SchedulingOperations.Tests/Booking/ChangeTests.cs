using System.Text.Json.Nodes;
using SchedulingOperations.Tests.Support;
using static SchedulingOperations.Tests.Support.Clinic;

namespace SchedulingOperations.Tests.Booking;

/// <summary>Moving and cancelling. Numbers are those of the contract's list of edge cases.</summary>
public sealed class ChangeTests
{
    [Fact] // 34, 39
    public async Task Book_KnownIdWithNewTime_MovesInPlaceAndKeepsTheRest()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var body = Half(0);
        body["comment"] = "keep me";
        body["basedOn"] = new JsonArray(new JsonObject { ["reference"] = "ServiceRequest/x" });
        var first = await clinic.BookAsync(body);
        var change = Half(2);
        change["id"] = first.Id;
        var moved = await clinic.BookAsync(change);
        Assert.True(moved.Status == 200, moved.Text);
        Assert.Equal((first.Id, 2L), (moved.Id, moved.Raw!.Version));
        Assert.Equal("keep me", (string)moved.Body!["comment"]!);
        Assert.Equal("ServiceRequest/x", (string)moved.Body["basedOn"]![0]!["reference"]!);
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a2"));
        var old = await clinic.Store.ReadVersionAsync(new("Appointment", first.Id), 1, default);
        Assert.Equal(Tomorrow(9), (string)JsonNode.Parse(old!.Json.Span)!["start"]!);
        Assert.Equal(201, (await clinic.BookAsync(Half(0, patient: "pat2"))).Status);
    }

    [Fact] // 35, 36, 37
    public async Task Book_CancelledApptId_SwapsAtomically()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var old = await clinic.BookAsync(Half(0));
        await clinic.BookAsync(Half(1, patient: "pat2"));
        JsonObject Swap(JsonObject next) => Parameters(("appt-resource", next), ("cancelled-appt-id", new JsonObject { ["valueUri"] = $"{BaseUrl}/Appointment/{old.Id}" }));

        Assert.Equal(409, (await clinic.BookAsync(Swap(Half(1)))).Status);
        Assert.Equal("booked", await clinic.StatusAsync($"Appointment/{old.Id}"));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));

        Assert.Equal((422, "patient-fixed"), await clinic.BookAsync(Swap(Half(2, patient: "pat2"))) is var other ? (other.Status, other.Detail) : default);
        Assert.Equal(422, (await clinic.BookAsync(Parameters(("appt-resource", Half(2)), ("cancelled-appt-id", new JsonObject { ["valueUri"] = "Appointment/none" })))).Status);

        var next = await clinic.BookAsync(Swap(Half(2)));
        Assert.True(next.Status == 201, next.Text);
        Assert.Equal("cancelled", await clinic.StatusAsync($"Appointment/{old.Id}"));
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
        Assert.Contains(next.Body!["extension"]!.AsArray(), e => (string)e!["url"]! == "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.replaces"
            && (string)e["valueReference"]!["reference"]! == $"Appointment/{old.Id}");
        // Already cancelled: only linked. Its slot may be taken again, also by the same request.
        var third = await clinic.BookAsync(Swap(Half(0)));
        Assert.True(third.Status == 201, third.Text);
    }

    [Fact]
    public async Task Book_CancelledApptIdIntoTheSameSlot_Works()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var old = await clinic.BookAsync(Half(0));
        var next = await clinic.BookAsync(Parameters(("appt-resource", Half(0)), ("cancelled-appt-id", new JsonObject { ["valueUri"] = old.Id })));
        Assert.True(next.Status == 201, next.Text);
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
    }

    [Fact] // 38
    public async Task Reschedule_IntoItsOwnTime_IsAllowed()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.PutAsync("""{"resourceType":"Practitioner","id":"dr-l"}""");
        await clinic.PutAsync("""{"resourceType":"Schedule","id":"long","actor":[{"reference":"Practitioner/dr-l"}]}""");
        await clinic.PutAsync(SlotJson("day", "long", Tomorrow(9), Tomorrow(17)));
        var first = await clinic.BookAsync(Proposed("day", Tomorrow(10), Tomorrow(11)));
        var moved = await clinic.InvokeAsync(SchedulingOperation.Reschedule, Parameters(("start", Tomorrow(10, 30))), first.Id);
        Assert.True(moved.Status == 200, moved.Text);
        Assert.Equal((Tomorrow(10, 30), Tomorrow(11, 30)), ((string)moved.Appointment["start"]!, (string)moved.Appointment["end"]!));
        Assert.Equal(["09:00-10:30 free", "10:30-11:30 busy", "11:30-17:00 free"], await clinic.DayAsync("long"));
        Assert.Equal("Slot/day", (string)moved.Appointment["slot"]![0]!["reference"]!);
        Assert.Equal(3, (await clinic.AllAsync("Slot")).Count(s => (string)s["schedule"]!["reference"]! == "Schedule/long"));
    }

    [Fact]
    public async Task Reschedule_ToAnotherDoctor_ChangesWhoTakesPart()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.WithDoctorAsync("b");
        var first = await clinic.BookAsync(Half(0));
        var moved = await clinic.InvokeAsync(SchedulingOperation.Reschedule, Parameters(("start", Tomorrow(9)), ("slot", Ref("Slot/b0"))), first.Id);
        Assert.True(moved.Status == 200, moved.Text);
        var actors = moved.Appointment["participant"]!.AsArray().Select(p => (string)p!["actor"]!["reference"]!).ToList();
        Assert.Contains("Practitioner/dr-b", actors);
        Assert.DoesNotContain("Practitioner/dr-a", actors);
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
        Assert.Equal(201, (await clinic.BookAsync(Half(0, patient: "pat2"))).Status);
    }

    [Fact]
    public async Task Reschedule_ToATakenTime_ChangesNothing()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var first = await clinic.BookAsync(Half(0));
        await clinic.BookAsync(Half(1, patient: "pat2"));
        var refused = await clinic.InvokeAsync(SchedulingOperation.Reschedule, Parameters(("start", Tomorrow(9, 30))), first.Id);
        Assert.Equal((409, "slot-unavailable"), (refused.Status, refused.Detail));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        Assert.Equal(Tomorrow(9), (string)(await clinic.GetAsync($"Appointment/{first.Id}"))["start"]!);
        Assert.Equal(400, (await clinic.InvokeAsync(SchedulingOperation.Reschedule, Parameters(("end", Tomorrow(10))), first.Id)).Status);
        Assert.Equal(400, (await clinic.InvokeAsync(SchedulingOperation.Reschedule, Parameters(("start", Tomorrow(10)), ("service-type-reference", Ref("HealthcareService/x"))), first.Id)).Status);
    }

    [Fact] // 42
    public async Task Cancel_Twice_NeverFreesWhatSomebodyElseBooked()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var first = await clinic.BookAsync(Half(0));
        var cancelled = await clinic.CancelAsync(first.Id, Parameters(("reason", new JsonObject { ["valueCodeableConcept"] = new JsonObject { ["text"] = "ill" } }), ("comment", "by phone")));
        Assert.Equal(200, cancelled.Status);
        Assert.Equal("ill", (string)cancelled.Body!["cancelationReason"]!["text"]!);
        Assert.Equal("by phone", (string)cancelled.Body["comment"]!);
        Assert.Equal(201, (await clinic.BookAsync(Half(0, patient: "pat2"))).Status);
        var again = await clinic.CancelAsync(first.Id);
        Assert.Equal((200, 2L), (again.Status, again.Raw!.Version));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
    }

    [Fact] // 43
    public async Task Cancel_FulfilledOrNoShow_IsRefused()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var booked = (await clinic.BookAsync(Half(0))).Appointment;
        booked["status"] = "noshow";
        booked["cancelationReason"] = new JsonObject { ["text"] = "46: app-4 means noshow" };
        await clinic.PutAsync(booked);
        Assert.Equal((422, "status-transition"), await clinic.CancelAsync((string)booked["id"]!) is var r ? (r.Status, r.Detail) : default);
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        Assert.Equal(404, (await clinic.CancelAsync("none")).Status);
        await clinic.DeleteAsync($"Appointment/{(string)booked["id"]!}");
        Assert.Equal(410, (await clinic.CancelAsync((string)booked["id"]!)).Status);
    }

    [Fact]
    public async Task Book_OtherPatientUnderAKnownId_IsRefused()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var first = await clinic.BookAsync(Half(0));
        var change = Half(1, patient: "pat2");
        change["id"] = first.Id;
        Assert.Equal((422, "patient-fixed"), await clinic.BookAsync(change) is var r ? (r.Status, r.Detail) : default);
        Assert.Equal(Tomorrow(9), (string)(await clinic.GetAsync($"Appointment/{first.Id}"))["start"]!);
    }

    [Fact] // B09
    public async Task CancelAndReschedule_AtTheSameMoment_LeaveNoBusySlotWithoutAppointment()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        for (var round = 0; round < 20; round++)
        {
            var booked = await clinic.BookAsync(Half(0));
            Assert.Equal(201, booked.Status);
            var cancel = Task.Run(() => clinic.CancelAsync(booked.Id));
            var move = Task.Run(() => clinic.InvokeAsync(SchedulingOperation.Reschedule, Parameters(("start", Tomorrow(10))), booked.Id));
            await Task.WhenAll(cancel, move);
            Assert.Equal(200, (await cancel).Status);
            Assert.True((await move).Status is 200 or 422, (await move).Text);
            Assert.Equal("cancelled", await clinic.StatusAsync($"Appointment/{booked.Id}"));
            Assert.All(await clinic.DayAsync("sched-a"), slot => Assert.EndsWith("free", slot, StringComparison.Ordinal));
        }
    }

    [Fact] // 3
    public async Task Book_TwoResourcesInOppositeOrder_NoDeadlockAndAtMostOneWins()
    {
        using var clinic = await OpenAsync();
        await clinic.WithDoctorAsync();
        await clinic.WithDoctorAsync("b");
        for (var n = 0; n < 6; n++)
        {
            var at = (Tomorrow(9, 30 * n), Tomorrow(9, 30 * (n + 1)));
            var replies = await Task.WhenAll(
                Task.Run(() => clinic.BookAsync(Proposed($"a{n},b{n}", at.Item1, at.Item2))), Task.Run(() => clinic.BookAsync(Proposed($"b{n},a{n}", at.Item1, at.Item2, "pat2"))));
            Assert.Single(replies, r => r.Status == 201);
            Assert.Single(replies, r => r.Status == 409);
        }
    }
}
