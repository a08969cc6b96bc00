using CsCheck;
using SchedulingOperations.Tests.Support;
using static SchedulingOperations.Tests.Support.Clinic;

namespace SchedulingOperations.Tests.Booking;

/// <summary>
/// A day of random bookings, holds, moves, cancellations and expiries on one long slot. Quarter hours are the oracle: a plain array
/// of who holds which cell. It knows nothing of slots, pieces or ranges.
/// </summary>
public sealed class RandomDayTests
{
    private const int Cells = 32; // 09:00 to 17:00
    private readonly record struct Step(int What, int Start, int Length, int Which);

    private static readonly Gen<Step[]> AnyDay =
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, Cells - 1], Gen.Int[1, 6], Gen.Int[0, 30]).Select((what, start, length, which) => new Step(what, start, Math.Min(length, Cells - start), which)).Array[5, 25];

    [Fact]
    public async Task AnyDay_IsWhatTheCellsSay() => await AnyDay.SampleAsync(RunAsync, iter: 60, threads: 1);

    private static async Task RunAsync(Step[] day)
    {
        using var clinic = await OpenAsync();
        await clinic.PutAsync("""{"resourceType":"Patient","id":"pat1"}""");
        await clinic.PutAsync("""{"resourceType":"Schedule","id":"long","actor":[{"reference":"Practitioner/dr-l"}]}""");
        await clinic.PutAsync(SlotJson("day", "long", Tomorrow(9), Tomorrow(17)));
        var cells = new string?[Cells];
        var held = new Dictionary<string, bool>(); // id → is a hold
        foreach (var step in day)
        {
            var wanted = Enumerable.Range(step.Start, step.Length).ToArray();
            var (start, end) = (Tomorrow(9, 15 * step.Start), Tomorrow(9, 15 * (step.Start + step.Length)));
            var known = held.Count == 0 ? null : held.Keys.Order(StringComparer.Ordinal).ElementAt(step.Which % held.Count);
            switch (step.What)
            {
                case <= 4:
                    var body = Parameters(("appt-resource", Proposed(null, start, end)), ("schedule", Ref("Schedule/long")));
                    var reply = step.What == 4 ? await clinic.HoldAsync(body, $"app{step.Which}") : await clinic.BookAsync(body);
                    Assert.True(wanted.All(c => cells[c] is null) ? reply.Status == 201 : reply.Status is 409 or 200, $"{step}: {reply.Status} {reply.Text}");
                    if (reply.Status == 201)
                    {
                        held.Add(reply.Id, step.What == 4);
                        Array.ForEach(wanted, c => cells[c] = reply.Id);
                    }
                    break;
                case 5 or 6 when known is not null:
                    Assert.Equal(200, (await clinic.CancelAsync(known)).Status);
                    Release(known);
                    break;
                case 7 or 8 when known is not null && !held[known]:
                    var moved = await clinic.InvokeAsync(SchedulingOperation.Reschedule, Parameters(("start", start), ("end", end)), known);
                    Assert.True(wanted.All(c => cells[c] is null || cells[c] == known) ? moved.Status == 200 : moved.Status == 409, $"{step}: {moved.Status} {moved.Text}");
                    if (moved.Status == 200)
                    {
                        Array.ForEach([.. Enumerable.Range(0, Cells).Where(c => cells[c] == known)], c => cells[c] = null);
                        Array.ForEach(wanted, c => cells[c] = known);
                    }
                    break;
                case 9:
                    clinic.Clock.Advance(TimeSpan.FromMinutes(5));
                    await clinic.Expiry.SweepAsync(default);
                    foreach (var hold in held.Where(h => h.Value).Select(h => h.Key).ToList())
                    {
                        Release(hold);
                    }
                    break;
            }
            await CheckAsync(clinic, cells, held);
        }

        void Release(string id)
        {
            held.Remove(id);
            Array.ForEach([.. Enumerable.Range(0, Cells).Where(c => cells[c] == id)], c => cells[c] = null);
        }
    }

    /// <summary>The slots part the day without gap or overlap, are taken exactly where the cells are, and no two free pieces lie side by side.</summary>
    private static async Task CheckAsync(Clinic clinic, string?[] cells, Dictionary<string, bool> held)
    {
        var seen = new string?[Cells];
        var slots = (await clinic.AllAsync("Slot")).Select(s => (Id: (string)s["id"]!, From: Cell((string)s["start"]!), To: Cell((string)s["end"]!), Status: (string)s["status"]!)).OrderBy(s => s.From).ToList();
        Assert.Equal(0, slots[0].From);
        Assert.Equal(Cells, slots[^1].To);
        Assert.All(slots.Zip(slots.Skip(1)), pair => Assert.True(pair.First.To == pair.Second.From && (pair.First.Status != "free" || pair.Second.Status != "free"), string.Join(' ', slots)));
        foreach (var appointment in (await clinic.AllAsync("Appointment")).Where(a => (string)a["status"]! is "booked" or "pending"))
        {
            var id = (string)appointment["id"]!;
            Assert.True(held.ContainsKey(id));
            foreach (var reference in appointment["slot"]!.AsArray())
            {
                var slot = slots.Single(s => $"Slot/{s.Id}" == (string)reference!["reference"]!);
                Assert.Equal(held[id] ? "busy-tentative" : "busy", slot.Status);
                for (var c = slot.From; c < slot.To; c++)
                {
                    Assert.Null(seen[c]);
                    seen[c] = id;
                }
            }
        }
        Assert.Equal(cells, seen);
        Assert.Equal(cells.Count(c => c is null), slots.Where(s => s.Status == "free").Sum(s => s.To - s.From));
    }

    private static int Cell(string time) => (int)(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture) - Opening.AddHours(25)).TotalMinutes / 15;
}
