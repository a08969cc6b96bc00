using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Faults.Tests;

public abstract class KillTests
{
    private const int Rounds = 20;

    /// <summary>Slots of one round.</summary>
    protected abstract int Slots { get; }

    protected abstract Deployment Deploy();

    /// <summary>
    /// Twice as many bookings as slots are under way at once when the server is killed. After the restart every acknowledged booking
    /// stands, no slot is taken twice, and a slot is busy exactly when an appointment holds it.
    /// </summary>
    [Fact]
    public async Task KillDuringBookings_EveryAcknowledgedBookingStands_NoSlotTakenTwice()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var server = Deploy();
        await server.StartAsync(ct);
        await Clinic.OpenAsync(server, ct);
        var random = new Random(20_31);
        var killedInTheMiddle = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var slots = await Clinic.AddDayAsync(server, $"r{round}", new DateOnly(2041, 1, 1).AddDays(round), Slots, ct);
            var acknowledged = new ConcurrentDictionary<string, string>();
            var killAt = random.Next(20, Slots - 20);
            var enough = new TaskCompletionSource();
            var bookings = slots.Concat(slots).Select(slot => Task.Run(async () =>
            {
                try
                {
                    var (status, body) = await Clinic.BookAsync(server, slot, ct);
                    if (status == HttpStatusCode.Created)
                    {
                        Assert.True(acknowledged.TryAdd((string)body!["id"]!, slot.Slot));
                        if (acknowledged.Count >= killAt)
                        {
                            enough.TrySetResult();
                        }
                    }
                    else
                    {
                        Assert.Equal(HttpStatusCode.Conflict, status);
                    }
                }
                catch (Exception e) when (e is HttpRequestException or IOException or SocketException or ObjectDisposedException or TaskCanceledException)
                {
                    // Cut off by the kill: never acknowledged.
                }
            }, ct)).ToArray();
            await Task.WhenAny(enough.Task, Task.WhenAll(bookings));
            await server.KillAsync();
            killedInTheMiddle += acknowledged.Count < Slots ? 1 : 0;
            // What is not cut off may wait for what the killed process held, and does so while that one starts again.
            await Task.WhenAll([server.StartAsync(ct), .. bookings]);

            var appointments = await server.SearchAsync($"Appointment?date={new DateOnly(2041, 1, 1).AddDays(round):yyyy-MM-dd}&_count=500", ct);
            var held = appointments.Where(a => (string?)a["status"] == "booked").ToDictionary(a => (string)a["id"]!, a => (string)a["slot"]![0]!["reference"]!);
            foreach (var (id, slot) in acknowledged)
            {
                Assert.Equal(slot, held.GetValueOrDefault(id));
            }
            Assert.Equal(held.Count, held.Values.Distinct().Count());
            var busy = (await server.SearchAsync($"Slot?schedule=Schedule/schedule-r{round}&status=busy&_count=500", ct)).Select(s => "Slot/" + (string)s["id"]!);
            Assert.Equal(held.Values.Order(StringComparer.Ordinal), busy.Order(StringComparer.Ordinal));
        }
        Assert.True(killedInTheMiddle > Rounds / 2, $"Only {killedInTheMiddle} of {Rounds} kills fell into the middle of the bookings.");
    }
}

/// <remarks>One collection for all: two of these at once would only test the machine.</remarks>
[Collection("one at a time")]
public sealed class RocksDbKillTests : KillTests
{
    protected override int Slots => 500;

    protected override Deployment Deploy() => new ServerProcess();
}

/// <summary>Three processes, of which each round kills one.</summary>
[Collection("one at a time")]
public sealed class MongoDbKillTests : KillTests
{
    protected override int Slots => 80;

    protected override Deployment Deploy() => new Cluster(3);
}
