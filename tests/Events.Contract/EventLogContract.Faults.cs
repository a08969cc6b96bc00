using System.Collections.Concurrent;
using FhirCore.Events;
using FhirCore.Records;

namespace Events.Contract;

/// <summary>What goes wrong on the way, and that no effect is lost or doubled by it.</summary>
public abstract partial class EventLogContract
{
    [Fact]
    public async Task Processes_ThatDieAtAnyPoint_LeaveEachEffectOnce()
    {
        var group = Group("mortal") with { MostEvents = 10 };
        var random = new Random(4);
        for (var life = 0; life < 5; life++)
        {
            await Clinic.HappenAsync(45, seed: 10 + life); // more than it can handle before it dies
            var died = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var process = House.NewProcess();
            var (point, batches) = (random.Next(2), random.Next(1, 5));
            var ledger = new Ledger(process.Store)
            {
                Before = (_, _) =>
                {
                    DieAt(0);
                    return Task.CompletedTask;
                },
                After = _ => DieAt(1),
            };
            process.Follow(group, ledger);
            await UntilAsync(() => died.Task.IsCompleted, "it does not die");
            await process.DieAsync();

            void DieAt(int here)
            {
                if (here == point && Interlocked.Decrement(ref batches) == 0)
                {
                    process.Store.Die();
                    died.SetResult();
                }
            }
        }
        await Clinic.HappenAsync(30, seed: 2);
        var (_, last) = Following(group);
        await HoldsAsync(last, await Clinic.ExpectedAsync(group));
    }

    [Fact]
    public async Task Process_ThatDiesBetweenHandlerAndProgress_IsToldAgain()
    {
        var group = Group("again");
        var id = await Clinic.MakeAsync();
        var first = House.NewProcess();
        first.Follow(group, new Ledger(first.Store) { CommitsProgress = false, After = _ => first.Store.Die() });
        await UntilAsync(() => first.Store.IsAway, "the first process is not told");
        await first.DieAsync();
        var second = House.NewProcess();
        var ledger = new Ledger(second.Store) { CommitsProgress = false };
        second.Follow(group, ledger);
        await UntilAsync(() => ledger.Batches.SelectMany(batch => batch.Events).Any(told => told.Id == id), "the event is not told again");
    }

    [Fact]
    public async Task Follower_LateToStop_FindsTheLaneLost_AndChangesNothing()
    {
        var group = Group("late") with { MostEvents = 10 };
        await Clinic.HappenAsync(60);
        var late = House.NewProcess();
        var (reached, go) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var lost = new ConcurrentBag<EventBatch>();
        var late1 = new Ledger(late.Store)
        {
            Before = (_, _) =>
            {
                reached.TrySetResult();
                return go.Task; // deaf to its token, as a process that was suspended
            },
        };
        late.Follow(group, new Witness(late1, (batch, error) =>
        {
            if (error is LaneLostException)
            {
                lost.Add(batch);
            }
        }));
        await reached.Task.WaitAsync(Limit);
        await late.TellToStopAsync();
        var (_, heir) = Following(group);
        await HoldsAsync(heir, await Clinic.ExpectedAsync(group));
        go.SetResult();
        await UntilAsync(() => !lost.IsEmpty, "the late one does not find its lane lost");
        await HoldsAsync(heir, await Clinic.ExpectedAsync(group));
    }

    [Fact]
    public async Task Members_InSeveralProcesses_WhileOneDies_LeaveEachEffectOnce()
    {
        var group = Group("many") with { MostEvents = 5 };
        var members = Enumerable.Range(0, 3).Select(_ => Following(group)).ToList();
        var busy = Clinic.HappenAsync(Many / 2);
        await UntilAsync(() => members.Any(member => member.Ledger.Batches.Count > 3), "nobody is told");
        await members.MaxBy(member => member.Ledger.Batches.Count).Process.DieAsync();
        await busy;
        await HoldsAsync(members[0].Ledger, await Clinic.ExpectedAsync(group));
    }

    [Fact]
    public async Task AnswersThatAreLost_DoNotDoubleEffects()
    {
        var group = Group("answers") with { MostEvents = 10 };
        await Clinic.HappenAsync(120);
        var process = House.NewProcess();
        var batches = 0;
        var ledger = new Ledger(process.Store)
        {
            Before = (_, _) =>
            {
                if (Interlocked.Increment(ref batches) % 3 == 1)
                {
                    process.Store.LoseAnswers(1);
                }
                return Task.CompletedTask;
            },
        };
        process.Follow(group, ledger);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
        Assert.True(process.Tally.Failures > 0);
        Assert.Empty(process.Tally.Dead);
    }

    [Fact]
    public async Task StoreAway_IsWaitedOut_AndNothingIsSetAside()
    {
        var group = Group("away") with { MostEvents = 10 };
        await Clinic.HappenAsync(30);
        var (process, ledger) = Following(group);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
        process.Store.IsAway = true;
        await Clinic.HappenAsync(60, seed: 2);
        var failures = process.Tally.Failures;
        await Task.WhenAny(Task.Run(async () => await UntilAsync(() => process.Tally.Failures > failures + 6, "")), Task.Delay(1500)); // some logs wait without asking
        process.Store.IsAway = false;
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
        Assert.Empty(process.Tally.Dead);
        Assert.Empty(await House.SetAsideAsync(group.Name));
    }

    [Fact]
    public async Task StoreAway_AtTheVeryBeginning_IsWaitedOut()
    {
        await Clinic.HappenAsync(30);
        var old = await House.Store.LastSequenceAsync(default);
        var group = Group("dawn") with { Start = EventStart.Now };
        var process = House.NewProcess();
        process.Store.IsAway = true;
        var ledger = new Ledger(process.Store);
        process.Follow(group, ledger);
        await UntilAsync(() => process.Tally.Failures > 0, "nothing is tried");
        process.Store.IsAway = false;
        await UntilAsync(() => House.HasBegunAsync("dawn"), "the group has not begun");
        await Clinic.HappenAsync(30, seed: 2);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group, old));
    }

    [Fact]
    public async Task PoisonEvents_AreSetAside_AndTheOthersHandledOnceInOrder()
    {
        var group = Group("poison");
        await Clinic.HappenAsync(40);
        string[] poison = [await Clinic.MakeAsync("Slot", "p1"), await Clinic.MakeAsync("Slot", "p1")];
        await Clinic.HappenAsync(40, seed: 2);
        var process = House.NewProcess();
        var ledger = new Ledger(process.Store)
        {
            Before = (batch, _) => batch.Events.Any(told => poison.Contains(told.Id)) ? throw new InvalidOperationException("cannot take it") : Task.CompletedTask,
        };
        process.Follow(group, ledger);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group, but: told => poison.Contains(told.Id)));
        await UntilAsync(() => process.Tally.Dead.Count == poison.Length, "the poison is not set aside");
        Assert.Equal(poison.Order(StringComparer.Ordinal), (await House.SetAsideAsync(group.Name)).Order(StringComparer.Ordinal));
        Assert.All(process.Tally.Dead, dead => Assert.Equal((group.Name, nameof(InvalidOperationException)), (dead.Group, dead.Why)));

        await process.StopAsync();
        var (_, next) = Following(group);
        await Clinic.MakeAsync("Slot", "p1");
        await HoldsAsync(next, await Clinic.ExpectedAsync(group, but: told => poison.Contains(told.Id)));
    }

    [Fact]
    public async Task HandlerThatFailsForAMoment_IsAskedAgain_AndNothingIsSetAside()
    {
        var group = Group("moody");
        await Clinic.HappenAsync(30);
        var process = House.NewProcess();
        var failures = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var ledger = new Ledger(process.Store)
        {
            Before = (batch, _) => failures.AddOrUpdate(batch.Lane, 1, (_, n) => n + 1) <= 3 ? throw new TimeoutException() : Task.CompletedTask,
        };
        process.Follow(group, ledger);
        await HoldsAsync(ledger, await Clinic.ExpectedAsync(group));
        Assert.Empty(process.Tally.Dead);
    }

    [Fact]
    public async Task HandlerThatSaysLaneLostOfSomethingElse_IsNotAskedWithoutEnd()
    {
        var group = Group("mistaken");
        var id = await Clinic.MakeAsync();
        var process = House.NewProcess();
        process.Follow(group, new Ledger(process.Store) { Before = (batch, _) => throw new LaneLostException(batch.Lane) });
        await UntilAsync(() => !process.Tally.Dead.IsEmpty, "it is asked without end");
        Assert.Equal([id], await House.SetAsideAsync(group.Name));
    }

    /// <summary>Sees what a handler throws.</summary>
    private sealed class Witness(IEventHandler inner, Action<EventBatch, Exception> thrown) : IEventHandler
    {
        public async Task HandleAsync(EventBatch batch, CancellationToken ct)
        {
            try
            {
                await inner.HandleAsync(batch, ct);
            }
            catch (Exception error)
            {
                thrown(batch, error);
                throw;
            }
        }
    }
}
