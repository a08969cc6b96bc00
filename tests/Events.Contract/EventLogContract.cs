using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using FhirCore.Events;

namespace Events.Contract;

/// <summary>What <see cref="IEventLog"/> promises, for every log. Each test gets a house of its own, with an empty store.</summary>
public abstract partial class EventLogContract : IAsyncLifetime
{
    /// <summary>Whoever waits longer waits in vain.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private protected EventHouse House { get; private set; } = null!;

    private protected Clinic Clinic { get; private set; } = null!;

    protected abstract ValueTask<EventHouse> OpenAsync();

    /// <summary>Events of the larger tests.</summary>
    protected virtual int Many => 600;

    public async ValueTask InitializeAsync()
    {
        House = await OpenAsync();
        Clinic = new(House.Store);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await House.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected static EventGroup Group(string name, params string[] types) => new(name, types.ToImmutableSortedSet(StringComparer.Ordinal));

    private protected async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        for (var waited = Stopwatch.StartNew(); !await holds(); await Task.Delay(15))
        {
            Assert.True(waited.Elapsed < Limit, $"Waited in vain: {what}. {House.Failures}");
        }
    }

    private protected Task UntilAsync(Func<bool> holds, string what) => UntilAsync(() => Task.FromResult(holds()), what);

    /// <summary>The ledger comes to hold every expected event, each once and in its order.</summary>
    private protected async Task HoldsAsync(Ledger ledger, IReadOnlyDictionary<string, string[]> expected)
    {
        var count = expected.Values.Sum(lines => lines.Length);
        var held = await ledger.ReadAsync(House.Store);
        await UntilAsync(async () => (held = await ledger.ReadAsync(House.Store)).Values.Sum(lines => lines.Length) >= count, $"the ledger has not all of {count} events");
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), held.Keys.Order(StringComparer.Ordinal));
        Assert.All(expected, page => Assert.Equal(page.Value, held[page.Key]));
    }

    private (EventProcess Process, Ledger Ledger) Following(EventGroup group)
    {
        var process = House.NewProcess();
        var ledger = new Ledger(process.Store);
        process.Follow(group, ledger);
        return (process, ledger);
    }

    [Fact]
    public async Task Events_OfBeforeAndWhileFollowing_AllComeOnceAndInOrderOfTheirPartition()
    {
        var group = Group("all");
        await Clinic.HappenAsync(Many / 2);
        var (_, ledger) = Following(group);
        await Clinic.HappenAsync(Many / 2, seed: 2);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
        Assert.Equal(3, ledger.Batches.SelectMany(batch => batch.Events).Select(told => told.Change.Key.Type).Distinct().Count());
    }

    [Fact]
    public async Task Batches_HaveAtMostAsManyEventsAsTheGroupAllows()
    {
        var group = Group("small") with { MostEvents = 7 };
        await Clinic.HappenAsync(120);
        var (_, ledger) = Following(group);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
        Assert.All(ledger.Batches, batch => Assert.InRange(batch.Events.Length, 1, 7));
        Assert.Contains(ledger.Batches, batch => batch.Events.Length > 1);
    }

    [Fact]
    public async Task OnlyWantedTypes_Come()
    {
        var group = Group("some", "Patient", "Slot");
        await Clinic.HappenAsync(120);
        var (_, ledger) = Following(group);
        await Clinic.HappenAsync(60, seed: 2);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
        Assert.All(ledger.Batches.SelectMany(batch => batch.Events), told => Assert.Contains(told.Change.Key.Type, group.Types));
    }

    [Fact]
    public async Task Lane_OfATypeAndPartition_IsAlwaysTheSame()
    {
        await Clinic.HappenAsync(120);
        var (_, ledger) = Following(Group("lanes"));
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(Group("lanes")));
        var lanes = ledger.Batches.SelectMany(batch => batch.Events.Select(told => (Page: Ledger.PageOf(told), batch.Lane))).Distinct().ToList();
        Assert.Equal(lanes.Count, lanes.Select(lane => lane.Page).Distinct().Count());
    }

    [Fact]
    public async Task Groups_HearEverythingEachForItself()
    {
        await Clinic.HappenAsync(60);
        var process = House.NewProcess();
        Ledger[] ledgers = [new(process.Store, "first"), new(process.Store, "second")];
        process.Follow(Group("first", "Patient"), ledgers[0]);
        process.Follow(Group("second"), ledgers[1]);
        await HoldsAsync(ledgers[0], await Clinic.ExpectedAsync(Group("first", "Patient")));
        await HoldsAsync(ledgers[1], await Clinic.ExpectedAsync(Group("second")));
    }

    [Fact]
    public async Task Version_ThatIsGone_IsToldWithoutIt()
    {
        var erased = await Clinic.MakeAsync();
        var kept = await Clinic.MakeAsync();
        await Clinic.EraseAsync(erased);
        var (_, ledger) = Following(Group("erased"));
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(Group("erased")));
        var told = ledger.Batches.SelectMany(batch => batch.Events).ToList();
        Assert.Equal([(erased, true), (kept, false)], told.Select(one => (one.Id, one.Version is null)));
    }

    [Fact]
    public async Task Follower_ThatStops_GoesOnWhereItCommitted()
    {
        var group = Group("resumes");
        await Clinic.HappenAsync(90);
        var (first, ledger) = Following(group);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
        await first.StopAsync();
        await Clinic.HappenAsync(90, seed: 2);
        var (_, second) = Following(group);
        await HoldsAsync(second, await Clinic.ExpectedAsync(group));
        Assert.Empty(second.Batches.SelectMany(batch => batch.Events).Select(told => told.Id)
            .Intersect(ledger.Batches.SelectMany(batch => batch.Events).Select(told => told.Id)));
    }

    [Fact]
    public async Task Handler_ThatLeavesTheProgressToTheLog_IsNotToldAgainAfterACleanStop()
    {
        var group = Group("plain");
        await Clinic.HappenAsync(60);
        var first = House.NewProcess();
        first.Follow(group, new Ledger(first.Store) { CommitsProgress = false });
        await HoldsAsync(new(first.Store), await Clinic.ExpectedAsync(group));
        await first.StopAsync();
        var second = House.NewProcess();
        var ledger = new Ledger(second.Store) { CommitsProgress = false };
        second.Follow(group, ledger);
        await Clinic.HappenAsync(60, seed: 2);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
    }

    [Fact]
    public async Task ToldToStop_BetweenTheHandlersCommitAndTheLogsOwn_IsNotToldAgain()
    {
        var group = Group("late");
        await Clinic.HappenAsync(60);
        var first = House.NewProcess();
        first.Follow(group, new Stopper(new Ledger(first.Store) { CommitsProgress = false }, first));
        await UntilAsync(() => first.IsToldToStop, "nothing was handled");
        await first.StopAsync();
        var second = House.NewProcess();
        var ledger = new Ledger(second.Store) { CommitsProgress = false };
        second.Follow(group, ledger);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
    }

    /// <summary>Events that came to nothing cost no write each; they are told again after a crash at worst, and the progress follows within seconds.</summary>
    [Fact]
    public async Task IdleBatches_MoveTheProgressAfterAWhile_AndLoseNothing()
    {
        var group = Group("idle");
        await Clinic.HappenAsync(60);
        var process = House.NewProcess();
        var told = new ConcurrentDictionary<string, (string Lane, long Sequence)>(StringComparer.Ordinal);
        process.Follow(group, new Idler(told));
        var all = (await Clinic.ExpectedAsync(group)).Values.Sum(lines => lines.Length);
        await UntilAsync(() => told.Count == all, "not all of it is told");
        await UntilAsync(
            async () =>
            {
                var lanes = (await EventProgress.ReadLanesAsync(House.Store, group.Name, default)).ToDictionary(lane => lane.Lane, lane => lane.Progress.Sequence);
                return told.Values.All(one => lanes.GetValueOrDefault(one.Lane) >= one.Sequence);
            },
            "the progress stays behind");
        var last = await House.Store.LastSequenceAsync(default);
        await process.DieAsync();
        await Clinic.HappenAsync(30, seed: 2);
        var (_, ledger) = Following(group);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group, last));
    }

    [Fact]
    public async Task StartNow_HearsNothingOfBefore_AndEverythingAfter()
    {
        await Clinic.HappenAsync(60);
        var old = await House.Store.LastSequenceAsync(default);
        var group = Group("now") with { Start = EventStart.Now };
        var (process, ledger) = Following(group);
        await UntilAsync(() => House.HasBegunAsync("now"), "the group has not begun");
        await Clinic.HappenAsync(60, seed: 2);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group, old));

        await process.StopAsync();
        await Clinic.HappenAsync(30, seed: 3); // nobody follows, but it is the group's own by now
        var (_, second) = Following(group);
        await HoldsAsync(second, await Clinic.ExpectedAsync(group, old));
    }

    [Fact]
    public async Task StartNow_OnAnEmptyStore_WhoDiesBeforeItsFirstEvent_LosesNothing()
    {
        var group = Group("early") with { Start = EventStart.Now };
        var (first, _) = Following(group);
        await UntilAsync(() => House.HasBegunAsync("early"), "the group has not begun");
        await first.DieAsync();
        await Clinic.HappenAsync(30);
        var (_, ledger) = Following(group);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
    }

    [Fact]
    public async Task StartNow_WhileOthersCommit_HasNoHoles()
    {
        var group = Group("moment") with { Start = EventStart.Now };
        var busy = Clinic.HappenAsync(Many / 2);
        var (_, ledger) = Following(group);
        await UntilAsync(() => House.HasBegunAsync("moment"), "the group has not begun");
        var begun = await House.Store.LastSequenceAsync(default);
        await busy;
        await Clinic.MakeAsync("Slot", "last");

        // Every lane begins somewhere before that moment, and by itself: from there on nothing of it is missing.
        var (all, since) = (await Clinic.ExpectedAsync(group), await Clinic.ExpectedAsync(group, begun));
        IReadOnlyDictionary<string, string[]> held = new Dictionary<string, string[]>();
        await UntilAsync(
            async () =>
            {
                held = await ledger.ReadAsync(House.Store);
                return since.Keys.All(page => held.TryGetValue(page, out var lines) && lines[^1] == all[page][^1]);
            },
            "what happened last is not told");
        Assert.All(since, page =>
        {
            Assert.InRange(held[page.Key].Length, page.Value.Length, all[page.Key].Length);
            Assert.Equal(all[page.Key][^held[page.Key].Length..], held[page.Key]);
        });
    }

    [Fact]
    public async Task Lag_GrowsWhileAHandlerIsSlow_AndEnds()
    {
        await Clinic.HappenAsync(60);
        var process = House.NewProcess();
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ledger = new Ledger(process.Store) { Before = async (_, ct) => await go.Task.WaitAsync(ct) };
        process.Follow(Group("slow", "Slot"), ledger);
        await UntilAsync(async () => (await process.Log.LagAsync("slow", default)).Any(lane => lane.Events > 0 && lane.Behind > TimeSpan.Zero), "there is no lag");
        go.SetResult();
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(Group("slow", "Slot")));
        await UntilAsync(async () => (await process.Log.LagAsync("slow", default)) is { Count: > 0 } lanes && lanes.All(lane => lane.Events == 0 && lane.Behind == TimeSpan.Zero), "the lag does not end");
    }

    [Fact]
    public async Task WrongGroup_IsRefused()
    {
        var log = House.NewProcess().Log;
        await Assert.ThrowsAsync<ArgumentException>(() => log.FollowAsync(Group("No Good"), new Ledger(House.Store), default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => log.FollowAsync(Group("good") with { MostEvents = 0 }, new Ledger(House.Store), default));
    }

    /// <summary>Has its process told to stop when it has handled something.</summary>
    private sealed class Stopper(Ledger inner, EventProcess process) : IEventHandler
    {
        public async Task HandleAsync(EventBatch batch, CancellationToken ct)
        {
            await inner.HandleAsync(batch, ct);
            await process.TellToStopAsync();
            await Task.Delay(Limit, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // until the log has heard of it
        }
    }

    /// <summary>Nothing ever concerns it.</summary>
    private sealed class Idler(ConcurrentDictionary<string, (string Lane, long Sequence)> told) : IEventHandler
    {
        public Task HandleAsync(EventBatch batch, CancellationToken ct)
        {
            foreach (var happened in batch.Events)
            {
                told[happened.Id] = (batch.Lane, happened.Change.Sequence);
            }
            batch.Idle();
            return Task.CompletedTask;
        }
    }
}
