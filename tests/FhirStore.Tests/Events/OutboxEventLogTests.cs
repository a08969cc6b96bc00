using Events.Contract;
using FhirCore;
using FhirCore.Events;
using FhirCore.Pacing;
using FhirCore.Records;
using FhirStore.Events;
using FhirStore.Leases;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace FhirStore.Tests.Events;

/// <summary>The log on the outbox, over the plainest store there is.</summary>
public sealed class OutboxEventLogContractTests : EventLogContract
{
    protected override ValueTask<EventHouse> OpenAsync() => new(new OutboxHouse([new InMemoryRecordStore()], () => default));
}

/// <summary>What is this log's own: when it looks, and what it writes.</summary>
public sealed class OutboxEventLogTests : IAsyncDisposable
{
    private static readonly EventGroup Slots = new("slots", ["Slot"]);

    private readonly InMemoryRecordStore _store = new();
    private readonly FakeTimeProvider _clock = new(A.Noon);
    private readonly ChangeSignal _signal = new();
    private readonly EventTally _tally = new();
    private readonly CancellationTokenSource _stopping = new();
    private Task _following = Task.CompletedTask;

    [Fact]
    public async Task Commit_OfThisProcess_WakesTheFollower()
    {
        var ledger = Follow(Slots, poll: TimeSpan.FromDays(1));
        await CommitAsync("Slot", "s1");
        await UntilAsync(() => !ledger.Batches.IsEmpty);
        await CommitAsync("Slot", "s2");
        await UntilAsync(() => ledger.Batches.Count == 2);
    }

    /// <summary>Each would otherwise cost a write of its own: a store that only others are told of would write twice as much.</summary>
    [Fact]
    public async Task ChangesThatConcernNobody_MoveTheProgressAfterAWhile_NotEach()
    {
        var ledger = Follow(Slots, poll: TimeSpan.FromMilliseconds(100));
        await CommitAsync("Slot", "s1");
        await UntilAsync(() => !ledger.Batches.IsEmpty);
        for (var i = 0; i < 20; i++)
        {
            await CommitAsync("Patient", $"p{i}");
            await PassAsync(TimeSpan.FromMilliseconds(100));
        }
        Assert.Equal((1, 1), await ProgressAsync());
        await UntilAsync(async () =>
        {
            await PassAsync(TimeSpan.FromSeconds(1));
            return await ProgressAsync() == (21, 2);
        });
        var lag = Assert.Single(await NewLog(TimeSpan.FromDays(1)).LagAsync("slots", default));
        Assert.Equal(new LaneLag("all", 0, TimeSpan.Zero), lag);
    }

    [Fact]
    public async Task Event_ThatWasSetAsideBefore_IsPassedOver()
    {
        await CommitAsync("Slot", "s1");
        var change = (await _store.ReadChangesAsync(0, 1, default))[0];
        await _store.CommitAsync(Commit.Of(DeadEventRecord.Write(new("slots", "all", new(change, null), "Other"), _clock)), default);
        var ledger = Follow(Slots, TimeSpan.FromMilliseconds(100), batch => batch.Events[0].Change.Sequence == 1 ? throw new InvalidOperationException() : Task.CompletedTask);
        await CommitAsync("Slot", "s2");
        await UntilAsync(async () =>
        {
            await PassAsync(TimeSpan.FromMilliseconds(100));
            return !ledger.Batches.IsEmpty;
        });
        Assert.Equal("Slot/s2/1", Assert.Single(Assert.Single(ledger.Batches).Events).Id);
        Assert.Single(_tally.Dead);
    }

    [Fact]
    public async Task SettledEnd_WaitsForTheCommitWhoseNumberIsLower()
    {
        var store = new Overtaken(_store);
        await CommitAsync("Slot", "s1");
        await CommitAsync("Slot", "s2");
        store.UnderWay = 1; // the first has its number, and is not to be seen yet
        var asking = store.SettledEndAsync(_clock, default);
        await PassAsync(TimeSpan.FromSeconds(1));
        Assert.False(asking.IsCompleted);
        store.UnderWay = null;
        await UntilAsync(async () =>
        {
            await PassAsync(TimeSpan.FromSeconds(1));
            return asking.IsCompleted;
        });
        Assert.Equal(2, await asking);
    }

    [Fact]
    public async Task LastSequence_WhereOneVersionIsLeft_IsThatOfTheLastChange()
    {
        Assert.Equal(0, await _store.LastSequenceAsync(default));
        await CommitAsync("Slot", "s1");
        Assert.Equal(1, await _store.LastSequenceAsync(default));
        await CommitAsync("Slot", "s2");
        await _store.CommitAsync(A.Removing(A.Key("s2", "Slot")), default);
        Assert.Equal(2, await _store.LastSequenceAsync(default));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _following;
        _stopping.Dispose();
    }

    private OutboxEventLog NewLog(TimeSpan poll) =>
        new(_store, new(_store, new(Runs: true, SoleProcess: true, LeasedJobsOptions.DefaultLeaseTime), _clock), _signal, poll, BackgroundPace.Free, _tally, _clock);

    private Ledger Follow(EventGroup group, TimeSpan poll, Func<EventBatch, Task>? before = null)
    {
        var ledger = new Ledger(_store);
        if (before is not null)
        {
            ledger.Before = (batch, _) => before(batch);
        }
        _following = NewLog(poll).FollowAsync(group, ledger, _stopping.Token);
        return ledger;
    }

    private async Task CommitAsync(string type, string id)
    {
        await _store.CommitAsync(A.Commit(A.Write(A.Record(A.Key(id, type)))), default);
        _signal.Pulse();
    }

    private async Task<(long Sequence, long Version)> ProgressAsync()
    {
        var progress = await EventProgress.ReadAsync(_store, EventProgress.KeyOf("slots", "all"), default);
        return (progress.Sequence, progress.Version);
    }

    /// <summary>Time goes on, and whoever waited for it comes to do what it does then.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        _clock.Advance(time);
        await Task.Delay(5);
    }

    private static Task UntilAsync(Func<bool> holds) => UntilAsync(() => Task.FromResult(holds()));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var i = 0; !await holds(); i++)
        {
            Assert.True(i < 3000, "Waited in vain.");
            await Task.Delay(10);
        }
    }

    /// <summary>As on an engine of many processes: a reader is given rows up to the first number whose commit is under way.</summary>
    private sealed class Overtaken(IRecordStore inner) : IRecordStore
    {
        public long? UnderWay { get; set; }

        public async ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) =>
            [.. (await inner.ReadChangesAsync(after, limit, ct)).TakeWhile(row => row.Sequence != UnderWay)];

        public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct) => inner.HistoryAsync(query, ct);

        public ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct) => inner.GetAsync(key, ct);

        public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct) => inner.GetVersionAsync(key, version, ct);

        public Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct) => inner.CommitAsync(commit, ct);

        public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct) => inner.QueryAsync(query, ct);

        public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct) => inner.CountAsync(type, where, atMost, ct);

        public ValueTask<long> StampAsync(string name, CancellationToken ct) => inner.StampAsync(name, ct);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
