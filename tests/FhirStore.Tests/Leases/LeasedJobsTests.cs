using FhirCore.Records;
using FhirStore.Leases;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace FhirStore.Tests.Leases;

public sealed class LeasedJobsTests
{
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(15);

    private readonly InMemoryRecordStore _store = new();
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task TwoProcesses_OneDoesTheJob_TheOtherAfterItsCleanStop()
    {
        var (first, second) = (new Process(this), new Process(this));
        await UntilAsync(() => first.Doing + second.Doing == 1);
        await AdvanceAsync(Time * 4);
        Assert.Equal(1, first.Doing + second.Doing);
        Assert.Equal(1, first.Begun + second.Begun); // renewed all the time, never begun anew
        var (owner, other) = first.Doing == 1 ? (first, second) : (second, first);

        await owner.StopAsync();
        Assert.Equal(0, owner.Doing);
        await AdvanceAsync(Time / 15);
        await UntilAsync(() => other.Doing == 1);
        await other.StopAsync();
    }

    [Fact]
    public async Task StoreAway_TheJobStopsWithinTwoThirds_AndGoesOnWhenItIsBack()
    {
        var process = new Process(this);
        await UntilAsync(() => process.Doing == 1);
        process.IsAway = true;
        await AdvanceAsync(Time / 2);
        Assert.Equal(1, process.Doing);
        await AdvanceAsync(Time / 4);
        Assert.Equal(0, process.Doing);
        Assert.True(process.Failures > 0);
        await AdvanceAsync(Time * 3);
        process.IsAway = false;
        await AdvanceAsync(Time / 15);
        await UntilAsync(() => process.Doing == 1);
        await process.StopAsync();
    }

    [Fact]
    public async Task JobThatThrows_IsToldAndBegunAgain()
    {
        var process = new Process(this, begun => begun == 1 ? throw new InvalidOperationException("once") : Task.CompletedTask);
        await UntilAsync(() => process.Failures == 1);
        await AdvanceAsync(Time / 15);
        await UntilAsync(() => process.Begun == 2);
        await process.StopAsync();
    }

    [Fact]
    public async Task ProcessWithoutTheRole_DoesNothing()
    {
        var ran = false;
        await new LeasedJobs(_store, new(Runs: false, SoleProcess: false, Time), _clock).RunAsync("job", Run, default);
        Assert.False(ran);
        Assert.Null(await _store.GetAsync(new("_Lease", "job"), default));

        Task Run(CancellationToken ct)
        {
            ran = true;
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task SoleProcess_DoesTheJobWithoutALease()
    {
        var process = new Process(this, sole: true);
        await UntilAsync(() => process.Doing == 1);
        Assert.Null(await _store.GetAsync(new("_Lease", "job"), default));
        await process.StopAsync();
    }

    [Fact]
    public async Task RunOnce_ByManyAtOnce_OneAfterAnother()
    {
        var (running, most, runs) = (0, 0, 0);
        var all = Enumerable.Range(0, 6).Select(_ => new LeasedJobs(_store, new(true, false, Time), _clock).RunOnceAsync("start", RunAsync, default)).ToArray();
        for (var i = 0; i < 200 && !Task.WhenAll(all).IsCompleted; i++)
        {
            await AdvanceAsync(Time / 15);
        }
        await Task.WhenAll(all).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((1, 6), (most, runs));

        async Task RunAsync(CancellationToken ct)
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            await Task.Yield();
            Interlocked.Increment(ref runs);
            Interlocked.Decrement(ref running);
        }
    }

    /// <summary>In small steps, and with time for what they set off.</summary>
    private async Task AdvanceAsync(TimeSpan by)
    {
        for (var done = TimeSpan.Zero; done < by; done += TimeSpan.FromMilliseconds(250))
        {
            _clock.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Delay(2);
        }
        await Task.Delay(20);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 2000 && !condition(); i++)
        {
            await Task.Delay(5);
        }
        Assert.True(condition());
    }

    private sealed class Process : IJobObserver
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;
        private readonly AwayStore _store;
        private int _doing;
        private int _begun;

        public Process(LeasedJobsTests tests, Func<int, Task>? first = null, bool sole = false)
        {
            _store = new(tests._store);
            _running = new LeasedJobs(_store, new(Runs: true, sole, Time), tests._clock, this).RunAsync("job", WorkAsync, _stop.Token);

            async Task WorkAsync(CancellationToken ct)
            {
                var begun = Interlocked.Increment(ref _begun);
                await (first?.Invoke(begun) ?? Task.CompletedTask);
                Interlocked.Increment(ref _doing);
                try
                {
                    await Task.Delay(Timeout.Infinite, ct);
                }
                finally
                {
                    Interlocked.Decrement(ref _doing);
                }
            }
        }

        public int Doing => Volatile.Read(ref _doing);

        public int Begun => Volatile.Read(ref _begun);

        public int Failures { get; private set; }

        public bool IsAway
        {
            set => _store.IsAway = value;
        }

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _running.WaitAsync(TimeSpan.FromSeconds(30));
            _stop.Dispose();
        }

        public void Began(string job)
        {
        }

        public void Ended(string job)
        {
        }

        public void Failed(string job, Exception why) => Failures++;
    }

    private sealed class AwayStore(IRecordStore inner) : LeaseStore(inner)
    {
        public volatile bool IsAway;

        public override ValueTask<StoredRecord?> GetAsync(FhirCore.ResourceKey key, CancellationToken ct) =>
            IsAway ? throw new StoreUnavailableException("away") : Inner.GetAsync(key, ct);

        public override Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct) =>
            IsAway ? throw new StoreUnavailableException("away") : Inner.CommitAsync(commit, ct);
    }
}
