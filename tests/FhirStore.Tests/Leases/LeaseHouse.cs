using FhirCore.Records;
using FhirStore.Leases;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace FhirStore.Tests.Leases;

/// <summary>Several processes that want one job, each with its own way to the store and its own clock; all clocks run at one speed.</summary>
internal sealed class LeaseHouse
{
    private readonly InMemoryRecordStore _store = new();
    private readonly TimeSpan _time;
    private readonly List<Holder> _holders = [];
    private Holder? _lastOwner;
    private int _deaths;

    public LeaseHouse(int holders, TimeSpan time)
    {
        _time = time;
        for (var i = 0; i < holders; i++)
        {
            _holders.Add(new(_store, time, i));
        }
    }

    public int Owners => _holders.Count(holder => holder.IsAlive && holder.Lease.IsOwned);

    public int Changes { get; private set; }

    /// <param name="action">0 to 99: what happens.</param>
    /// <param name="which">To whom, and how much.</param>
    public void Do(int action, int which)
    {
        var holder = _holders[which % _holders.Count];
        switch (action)
        {
            case < 30:
                holder.Step();
                break;
            case < 45:
                holder.Store.Do(store => store.Answer(which));
                break;
            case < 55:
                holder.Store.Do(store => store.CarryOut(which));
                break;
            case < 60:
                holder.Store.Do(store => store.Fail(which));
                break;
            case < 66:
                holder.AnswerAll();
                break;
            case < 90:
                Advance(_time / 300 * which); // up to a third
                break;
            case < 94:
                Advance(_time / 50 * which); // up to two lease times: everybody was paused
                break;
            case < 97:
                holder.Release();
                break;
            default:
                if (_deaths < _holders.Count - 1)
                {
                    _deaths += holder.IsAlive ? 1 : 0;
                    holder.IsAlive = false; // what it has sent may still arrive
                }
                break;
        }
        NoteOwner();
    }

    /// <summary>From now on every call is answered, and the living act as a process does.</summary>
    public bool HasOneOwnerWithin(TimeSpan limit)
    {
        foreach (var holder in _holders)
        {
            holder.AnswerAll();
        }
        for (var waited = TimeSpan.Zero; waited <= limit; waited += _time / 15)
        {
            foreach (var holder in _holders.Where(holder => holder.IsAlive))
            {
                holder.Step();
                holder.AnswerAll();
            }
            if (Owners == 1)
            {
                return true;
            }
            Advance(_time / 15);
        }
        return false;
    }

    private void Advance(TimeSpan by) => _holders.ForEach(holder => holder.Clock.Advance(by));

    private void NoteOwner()
    {
        if (_holders.FirstOrDefault(holder => holder.IsAlive && holder.Lease.IsOwned) is { } owner && owner != _lastOwner)
        {
            _lastOwner = owner;
            Changes++;
        }
    }

    private sealed class Holder
    {
        private Task _acting = Task.CompletedTask;

        public Holder(IRecordStore store, TimeSpan time, int number)
        {
            Clock = new(new DateTimeOffset(2000 + (7 * number), 1, 1, 0, 0, 0, TimeSpan.Zero));
            Store = new(store);
            Lease = new(Store, "job", time, Clock);
        }

        public FakeTimeProvider Clock { get; }

        public SteppedStore Store { get; }

        public Lease Lease { get; }

        public bool IsAlive { get; set; } = true;

        public void Step() => Act(() => Lease.TryHoldAsync(default));

        public void Release() => Act(() => Lease.ReleaseAsync(default));

        public void AnswerAll()
        {
            while (Store.Waiting > 0)
            {
                Store.Answer(0);
            }
        }

        /// <summary>One thing at a time, as a process does. The dead begin nothing; what they had begun may still have its effect.</summary>
        private void Act(Func<Task> what)
        {
            if (IsAlive && _acting.IsCompleted)
            {
                _acting = IgnoreAsync(what());
            }
        }

        private static async Task IgnoreAsync(Task task)
        {
            try
            {
                await task;
            }
            catch (StoreUnavailableException)
            {
                // As a process would, it tries again later.
            }
        }
    }
}

internal static class SteppedStores
{
    public static void Do(this SteppedStore store, Action<SteppedStore> what)
    {
        if (store.Waiting > 0)
        {
            what(store);
        }
    }
}
