using SchedulingOperations.Tests.Support;
using static SchedulingOperations.Tests.Support.Clinic;

namespace SchedulingOperations.Tests.Booking;

public sealed class IdempotencyTests
{
    [Fact] // 5, B03
    public async Task Book_SameKeyFiftyTimesAtOnce_OneAppointmentAndEqualReplies()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => clinic.BookAsync(Half(0), key: "k1"))));
        Assert.All(replies, r => Assert.Equal(201, r.Status));
        Assert.Single(replies.Select(r => r.Text).Distinct());
        Assert.Single(replies.Select(r => r.Raw!.Location).Distinct());
        Assert.Single(replies, r => !r.Raw!.IsReplay);
        Assert.Single(await clinic.AllAsync("Appointment"));
    }

    [Fact] // 5, B04
    public async Task Book_SameKeyOtherBody_IsRefused()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        Assert.Equal(201, (await clinic.BookAsync(Half(0), key: "k1")).Status);
        var other = await clinic.BookAsync(Half(1), key: "k1");
        Assert.Equal((422, "idempotency-key-reused"), (other.Status, other.Detail));
        Assert.Equal("free", await clinic.StatusAsync("Slot/a1"));
        Assert.Equal(201, (await clinic.BookAsync(Half(1), client: "another", key: "k1")).Status);
        Assert.Equal(422, (await clinic.HoldAsync(Half(0), key: "k1")).Status);
    }

    [Fact] // B05
    public async Task Book_SameKeyAfterRestartAndChange_GivesTheFirstAnswer()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var first = await clinic.BookAsync(Half(0), key: "k1");
        await clinic.CancelAsync(first.Id);
        using var restarted = await clinic.RestartAsync();
        var again = await restarted.BookAsync(Half(0), key: "k1");
        Assert.Equal((201, first.Text, true), (again.Status, again.Text, again.Raw!.IsReplay));
        Assert.Equal("free", await restarted.StatusAsync("Slot/a0"));
    }

    [Fact]
    public async Task Book_SameKeyAtTwoProcesses_OneAppointmentAndEqualReplies()
    {
        using var one = await (await OpenAsync()).WithDoctorAsync();
        using var other = await one.RestartAsync(); // the first runs on
        for (var slot = 0; slot < 6; slot++)
        {
            var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => (i % 2 == 0 ? one : other).BookAsync(Half(slot), key: $"k{slot}"))));
            Assert.All(replies, r => Assert.Equal(201, r.Status));
            Assert.Single(replies.Select(r => r.Text).Distinct());
            Assert.Single(replies, r => !r.Raw!.IsReplay);
        }
        Assert.Equal(6, (await other.AllAsync("Appointment")).Count);
    }

    [Fact]
    public async Task Book_KeyAfterItsTime_IsANewRequest()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        await clinic.PutAsync(SlotJson("later", "sched-a", "2030-02-01T09:00:00Z", "2030-02-01T09:30:00Z"));
        Assert.Equal(201, (await clinic.BookAsync(Half(0), key: "k1")).Status);
        Assert.Equal(201, (await clinic.BookAsync(Half(1), key: "k2")).Status);
        clinic.Clock.Advance(TimeSpan.FromHours(24));
        Assert.Equal(201, (await clinic.BookAsync(Proposed("later", "2030-02-01T09:00:00Z", "2030-02-01T09:30:00Z"), key: "k1")).Status);
        Assert.Equal(1, await clinic.Forgetting.SweepAsync(default));
        Assert.Equal(0, await clinic.Forgetting.SweepAsync(default));
        Assert.True((await clinic.BookAsync(Proposed("later", "2030-02-01T09:00:00Z", "2030-02-01T09:30:00Z"), key: "k1")).Raw!.IsReplay);
    }

    [Fact]
    public async Task Book_RefusedWithKey_MayBeTriedAgain()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var taken = await clinic.BookAsync(Half(0, patient: "pat2"));
        Assert.Equal(409, (await clinic.BookAsync(Half(0), key: "k1")).Status);
        await clinic.CancelAsync(taken.Id);
        Assert.Equal(201, (await clinic.BookAsync(Half(0), key: "k1")).Status);
    }

    [Fact]
    public async Task Cancel_SameKey_IsAnsweredAsBefore()
    {
        using var clinic = await (await OpenAsync()).WithDoctorAsync();
        var booked = await clinic.BookAsync(Half(0));
        var first = await clinic.InvokeAsync(SchedulingOperation.Cancel, null, booked.Id, key: "c");
        var again = await clinic.InvokeAsync(SchedulingOperation.Cancel, null, booked.Id, key: "c");
        Assert.Equal((200, first.Text), (again.Status, again.Text));
    }
}
