using Auditing.Entries;
using Auditing.Trail;
using FhirStore.Search;

namespace Auditing.Tests;

/// <summary>The queue and its writer: nothing is lost while the process lives, and nobody is let in while nothing can be stored.</summary>
public sealed class TrailTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(300);

    private readonly CancellationTokenSource _stop = new();
    private readonly Watcher _watcher = new();
    private AuditHouse _house = null!;
    private AwayStore _store = null!;
    private AuditTrail _trail = null!;
    private Task _writing = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _house = await AuditHouse.OpenAsync();
        _house.Options.MaxDelay = TimeSpan.FromSeconds(30); // where the store is well, nobody gives up because the machine is slow
        _house.Options.MaxWaiting = 500;
        _store = new(_house.Store);
        _trail = _house.Trail(_store, _watcher, TimeProvider.System);
        _writing = _trail.WriteAsync(_stop.Token, default);
    }

    public async ValueTask DisposeAsync()
    {
        _store.Answer();
        _store.Away = false;
        await StopAsync();
        _stop.Dispose();
        _house.Dispose();
    }

    [Fact]
    public async Task ManyAtOnce_AllAreStoredOnce_AndWhoWaitsIsToldAfterwards()
    {
        var waits = Enumerable.Range(0, 2_000).Select(i => Task.Run(async () =>
        {
            var entry = AuditHouse.Read($"p{i}", AuditHouse.Start);
            if (i % 10 == 0)
            {
                Assert.True(await _trail.RecordAsync(entry, default));
            }
            else
            {
                _trail.Record(entry);
            }
        }));
        await Task.WhenAll(waits);
        await StopAsync();

        Assert.Equal(Enumerable.Range(0, 2_000).Select(i => $"p{i}").Order(StringComparer.Ordinal), (await StoredAsync()).Order(StringComparer.Ordinal));
        Assert.Empty(await _house.VerifyAsync());
        Assert.Equal(2_000, _watcher.Entries);
    }

    [Fact]
    public async Task Read_IsStoredSoon_WithoutAnybodyWaiting()
    {
        _trail.Record(AuditHouse.Read("p", AuditHouse.Start));
        await UntilAsync(() => _trail.Waiting == 0);
        Assert.Equal(["p"], await StoredAsync());
    }

    [Fact]
    public async Task StoreAway_ItClosesInTime_AndOpensAgain_AndNothingIsLost()
    {
        _house.Options.MaxDelay = Soon;
        _store.Away = true;
        _trail.Record(AuditHouse.Read("p1", AuditHouse.Start));
        Assert.Null(_trail.Closed);
        Assert.False(await _trail.RecordAsync(AuditHouse.Read("p2", AuditHouse.Start), default));
        await UntilAsync(() => _trail.Closed is { Status: 503, RetryAfter: not null });
        _store.Away = false;
        await UntilAsync(() => _trail.Closed is null && _trail.Waiting == 0);

        Assert.Equal(["p1", "p2"], (await StoredAsync()).Order(StringComparer.Ordinal));
        Assert.Equal((1, 1), (_watcher.Failures, _watcher.Recoveries));
    }

    [Fact]
    public async Task StoreThatHangs_ClosesItToo()
    {
        Assert.True(await _trail.RecordAsync(AuditHouse.Read("p0", AuditHouse.Start), default));
        _house.Options.MaxDelay = Soon;
        _store.Hang();
        _trail.Record(AuditHouse.Read("p1", AuditHouse.Start));
        await UntilAsync(() => _trail.Closed is not null);
        _store.Answer();
        await UntilAsync(() => _trail.Closed is null && _trail.Waiting == 0);
        Assert.Equal(2, (await StoredAsync()).Count);
    }

    [Fact]
    public async Task TooManyWaiting_ClosesIt()
    {
        Assert.True(await _trail.RecordAsync(AuditHouse.Read("p0", AuditHouse.Start), default));
        _house.Options.MaxDelay = TimeSpan.FromMinutes(1);
        _store.Hang();
        for (var i = 0; i < 501; i++)
        {
            _trail.Record(AuditHouse.Read("p", AuditHouse.Start));
        }
        Assert.NotNull(_trail.Closed);
        _store.Answer();
        await UntilAsync(() => _trail.Closed is null);
    }

    [Fact]
    public async Task Stopping_StoresWhatIsLeft()
    {
        for (var i = 0; i < 1_500; i++)
        {
            _trail.Record(AuditHouse.Read("p", AuditHouse.Start));
        }
        await StopAsync();
        Assert.Equal(1_500, (await StoredAsync()).Count);
    }

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _writing;
    }

    private async Task<List<string>> StoredAsync()
    {
        var patients = new List<string>();
        for (string? next = null; ;)
        {
            var page = (await _house.Reader.SearchAsync(new SearchRequest("AuditEvent", [new("action", "R"), new("_count", "1000")], Page: next), default)).Value;
            patients.AddRange(page.Matches.Select(match => System.Text.Json.Nodes.JsonNode.Parse(match.Json.Span)!["entity"]![0]!["what"]!["reference"]!.ToString()["Patient/".Length..]));
            if ((next = page.Next) is null)
            {
                return patients;
            }
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            await Task.Delay(5, limit.Token);
        }
    }

    private sealed class Watcher : IAuditObserver
    {
        public int Entries { get; private set; }

        public int Failures { get; private set; }

        public int Recoveries { get; private set; }

        public void Stored(int entries, int bytes, TimeSpan took) => Entries += entries;

        public void Failed(Exception why) => Failures++;

        public void Recovered() => Recoveries++;

        public void Lost(int entries) => Assert.Fail("lost");
    }
}
