using System.Text.Json.Nodes;
using FhirStore.Indexing;
using SchedulingOperations.Tests.Support;
using static SchedulingOperations.Tests.Support.Clinic;

namespace SchedulingOperations.Tests.Booking;

public sealed class HoldTests
{
    [Fact] // 8, 14
    public async Task Hold_FreeSlot_IsPendingTentativeAndEndsInFiveMinutes()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var hold = await clinic.HoldAsync(Half(0));
        Assert.Equal(201, hold.Status);
        Assert.Equal("Bundle", (string)hold.Body!["resourceType"]!);
        Assert.Equal(1, (int)hold.Body["total"]!);
        Assert.Equal("pending", (string)hold.Appointment["status"]!);
        Assert.All(hold.Appointment["participant"]!.AsArray(), p => Assert.Equal("tentative", (string)p!["status"]!));
        Assert.Equal(Opening.AddMinutes(5), hold.Raw!.Expires);
        Assert.Contains(hold.Appointment["extension"]!.AsArray(), e => (string)e!["url"]! == OperationalFields.HoldUntilUrl && (string)e["valueDateTime"]! == "2030-01-07T08:05:00Z");
        Assert.Contains("2030-01-07T08:05:00Z", hold.Text, StringComparison.Ordinal);
        Assert.Equal("busy-tentative", await clinic.StatusAsync("Slot/a0"));
        Assert.DoesNotContain((await clinic.FindAsync($"start={Tomorrow(0)}&end={Tomorrow(23)}")).Appointments, a => (string)a["start"]! == Tomorrow(9));
    }

    [Fact] // 9
    public async Task Book_OwnHold_KeepsItsId()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var hold = await clinic.HoldAsync(Half(0));
        var booked = await clinic.BookAsync(Parameters(("appointment-reference", Ref($"Appointment/{hold.Id}"))));
        Assert.Equal(200, booked.Status);
        Assert.Equal("Bundle", (string)booked.Body!["resourceType"]!); // IHE's parameter, IHE's shape
        Assert.Equal(hold.Id, booked.Id);
        Assert.Equal("booked", (string)booked.Appointment["status"]!);
        Assert.Null(booked.Appointment["extension"]);
        Assert.All(booked.Appointment["participant"]!.AsArray(), p => Assert.Equal("accepted", (string)p!["status"]!));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        clinic.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, await clinic.Expiry.SweepAsync(default));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
    }

    [Fact]
    public async Task Confirm_OwnHold_Books()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var hold = await clinic.HoldAsync(Half(0));
        Assert.Equal("held-by-another", (await clinic.InvokeAsync(SchedulingOperation.Confirm, null, hold.Id, "other")).Detail);
        var confirmed = await clinic.InvokeAsync(SchedulingOperation.Confirm, null, hold.Id);
        Assert.Equal((200, "booked"), (confirmed.Status, (string)confirmed.Appointment["status"]!));
        Assert.Equal(409, (await clinic.InvokeAsync(SchedulingOperation.Confirm, null, hold.Id)).Status);
        Assert.Equal(404, (await clinic.InvokeAsync(SchedulingOperation.Confirm, null, "nobody")).Status);
    }

    [Fact] // 10, 11
    public async Task Sweep_ExpiredHold_IsCancelledWithReasonAndItsSlotIsFree()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var hold = await clinic.HoldAsync(Half(0));
        clinic.Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        Assert.Equal(0, await clinic.Expiry.SweepAsync(default));
        clinic.Clock.Advance(TimeSpan.FromSeconds(1));
        using var restarted = await clinic.RestartAsync();
        Assert.Equal(1, await restarted.Expiry.SweepAsync(default));
        var ended = await restarted.GetAsync($"Appointment/{hold.Id}");
        Assert.Equal("cancelled", (string)ended["status"]!);
        Assert.Equal("hold-expired", (string)ended["cancelationReason"]!["coding"]![0]!["code"]!);
        Assert.Equal("free", await restarted.StatusAsync("Slot/a0"));
        Assert.Single(await restarted.Records.ReadChangesAsync(0, 1000, default), c => c.Cause == "hold-expired");
        Assert.Equal(0, await restarted.Expiry.SweepAsync(default));
        // The holder comes late: free still, so it is booked, as a new appointment.
        var late = await restarted.BookAsync(Parameters(("appointment-reference", Ref($"Appointment/{hold.Id}"))));
        Assert.Equal(201, late.Status);
        Assert.NotEqual(hold.Id, late.Id);
        Assert.Equal(409, (await restarted.BookAsync(Half(0, patient: "pat2"))).Status);
        Assert.Equal(409, (await restarted.BookAsync(Parameters(("appointment-reference", Ref($"Appointment/{hold.Id}"))))).Status);
    }

    [Fact] // 10
    public async Task Book_ExpiredHoldNotSweptYet_NeverBlocks()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var hold = await clinic.HoldAsync(Half(0));
        Assert.Equal(409, (await clinic.BookAsync(Half(0, patient: "pat2"), "other")).Status);
        clinic.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Contains((await clinic.FindAsync($"start={Tomorrow(0)}&end={Tomorrow(23)}")).Appointments, a => (string)a["start"]! == Tomorrow(9));
        var booked = await clinic.BookAsync(Half(0, patient: "pat2"), "other");
        Assert.True(booked.Status == 201, booked.Text);
        Assert.Equal("cancelled", await clinic.StatusAsync($"Appointment/{hold.Id}"));
        Assert.Equal("busy", await clinic.StatusAsync("Slot/a0"));
        Assert.Equal(0, await clinic.Expiry.SweepAsync(default));
    }

    [Fact]
    public async Task Book_HolderAfterExpiryBeforeSweep_IsBookedUnderTheSameId()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var hold = await clinic.HoldAsync(Half(0));
        clinic.Clock.Advance(TimeSpan.FromMinutes(6));
        var booked = await clinic.BookAsync(Parameters(("appointment-reference", Ref($"Appointment/{hold.Id}"))));
        Assert.Equal((200, hold.Id), (booked.Status, booked.Id));
    }

    [Fact] // 12
    public async Task Hold_Again_IsTheSameHoldAndNotLonger()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var hold = await clinic.HoldAsync(Half(0));
        clinic.Clock.Advance(TimeSpan.FromMinutes(2));
        foreach (var body in new[] { Half(0), Parameters(("appointment-reference", Ref($"Appointment/{hold.Id}"))) })
        {
            var again = await clinic.HoldAsync(body);
            Assert.Equal((200, hold.Id), (again.Status, again.Id));
            Assert.Equal(Opening.AddMinutes(5), again.Raw!.Expires);
        }
        Assert.Equal(409, (await clinic.HoldAsync(Half(0), "other")).Status);
        Assert.Equal("held-by-another", (await clinic.HoldAsync(Parameters(("appointment-reference", Ref($"Appointment/{hold.Id}"))), "other")).Detail
            ?? (await clinic.HoldAsync(Parameters(("appointment-reference", Ref($"Appointment/{hold.Id}"))), "other")).Body!["entry"]![0]!["resource"]!["issue"]![0]!["details"]!["coding"]![0]!["code"]!.GetValue<string>());
    }

    [Fact] // 13
    public async Task Release_ByCancelBySlotOrByPut_FreesTheSlot()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var first = await clinic.HoldAsync(Half(0));
        Assert.Equal(200, (await clinic.CancelAsync(first.Id)).Status);
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));

        var second = await clinic.HoldAsync(Half(0));
        await clinic.PutAsync(SlotJson("a0", "sched-a", Tomorrow(9), Tomorrow(9, 30)));
        Assert.Equal("cancelled", await clinic.StatusAsync($"Appointment/{second.Id}"));
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));

        var third = await clinic.HoldAsync(Half(0));
        var cancelled = third.Appointment;
        cancelled["status"] = "cancelled";
        await clinic.PutAsync(cancelled);
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));

        var booked = await clinic.BookAsync(Half(0));
        var refused = await clinic.TryPutAsync(SlotJson("a0", "sched-a", Tomorrow(9), Tomorrow(9, 30)));
        Assert.Equal("slot-in-use", refused.Failure!.Issues[0].Detail);
        Assert.Equal("booked", await clinic.StatusAsync($"Appointment/{booked.Id}"));
    }

    [Fact] // 15
    public async Task Book_AnotherClientsHold_IsRefused()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var hold = await clinic.HoldAsync(Half(0));
        var reply = await clinic.BookAsync(Parameters(("appointment-reference", Ref($"Appointment/{hold.Id}"))), "thief");
        Assert.Equal(409, reply.Status);
        Assert.Equal(0, (int)reply.Body!["total"]!);
        Assert.Equal("pending", await clinic.StatusAsync($"Appointment/{hold.Id}"));
    }

    [Fact]
    public async Task Hold_BeyondTheQuota_IsRefusedUntilOneEnds()
    {
        using var clinic = await (await OpenAsync(o => o.Hold.PerClient = 2)).WithDoctorAsync();
        Assert.Equal(201, (await clinic.HoldAsync(Half(0))).Status);
        Assert.Equal(201, (await clinic.HoldAsync(Half(1))).Status);
        Assert.Equal(429, (await clinic.HoldAsync(Half(2))).Status);
        Assert.Equal(201, (await clinic.HoldAsync(Half(2), "other")).Status);
        clinic.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(201, (await clinic.HoldAsync(Half(3))).Status);
    }

    [Fact] // 40
    public async Task Reschedule_Hold_StaysPendingAndEndsWhenItWouldHave()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var hold = await clinic.HoldAsync(Half(0));
        clinic.Clock.Advance(TimeSpan.FromMinutes(1));
        var moved = await clinic.InvokeAsync(SchedulingOperation.Reschedule, Parameters(("start", Tomorrow(10))), hold.Id);
        Assert.True(moved.Status == 200, moved.Text);
        Assert.Equal((hold.Id, "pending", Opening.AddMinutes(5)), (moved.Id, (string)moved.Appointment["status"]!, moved.Raw!.Expires));
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
        Assert.Equal("busy-tentative", await clinic.StatusAsync("Slot/a2"));
    }

    [Fact] // 2, B08: whoever wins, nothing is left over
    public async Task HoldAndBook_AtTheSameMoment_OneWinsAndNoOrphanStays()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        for (var n = 0; n < 6; n++)
        {
            var replies = await Task.WhenAll(
                Task.Run(() => clinic.HoldAsync(Half(n), "one")), Task.Run(() => clinic.BookAsync(Half(n, patient: "pat2"), "two")), Task.Run(() => clinic.HoldAsync(Half(n), "three")));
            Assert.Single(replies, r => r.Status == 201);
            Assert.Equal(2, replies.Count(r => r.Status == 409));
        }
        Assert.Equal(6, (await clinic.AllAsync("Appointment")).Count);
    }

    [Fact] // B08
    public async Task ExpiryAndBook_AtTheSameMoment_EndInOneConsistentState()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        for (var n = 0; n < 6; n++)
        {
            var hold = await clinic.HoldAsync(Half(n), "one");
            clinic.Clock.Advance(TimeSpan.FromMinutes(5));
            var sweep = Task.Run(() => clinic.Expiry.SweepAsync(default));
            var own = Task.Run(() => clinic.BookAsync(Parameters(("appointment-reference", Ref($"Appointment/{hold.Id}"))), "one"));
            var foreign = Task.Run(() => clinic.BookAsync(Half(n, patient: "pat2"), "two"));
            await Task.WhenAll(sweep, own, foreign);
            Assert.Single(new[] { await own, await foreign }, r => r.Status is 200 or 201);
            Assert.Equal("busy", await clinic.StatusAsync($"Slot/a{n}"));
            var active = (await clinic.AllAsync("Appointment")).Where(a => (string)a["status"]! is "booked" or "pending").ToList();
            Assert.Single(active, a => (string)a["slot"]![0]!["reference"]! == $"Slot/a{n}");
        }
    }

    [Fact]
    public async Task Hold_PartOfASlot_GivesItBackWholeWhenItExpires()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        await clinic.HoldAsync(Proposed("a0", Tomorrow(9, 10), Tomorrow(9, 20)));
        Assert.Equal(["09:00-09:10 free", "09:10-09:20 busy-tentative", "09:20-09:30 free"], (await clinic.DayAsync("sched-a"))[..3]);
        clinic.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(1, await clinic.Expiry.SweepAsync(default));
        Assert.Equal("09:00-09:30 free", (await clinic.DayAsync("sched-a"))[0]);
        Assert.Equal("free", await clinic.StatusAsync("Slot/a0"));
    }
}
