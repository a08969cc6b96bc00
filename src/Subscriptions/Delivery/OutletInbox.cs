using FhirStore.Sealed;
using Subscriptions.Feeds;

namespace Subscriptions.Delivery;

/// <summary>What an outlet has heard and not yet looked at: how far its feed is, the events that were just matched here, requests to send again. Written by others, at any time.</summary>
internal sealed class OutletInbox(Feed feed)
{
    /// <summary>Events kept in memory for a slow receiver; the others are read again when their turn comes.</summary>
    private const int MostEvents = 1_000;

    private readonly Lock _lock = new();
    private readonly LinkedList<FeedBlock> _blocks = new();
    private readonly List<Sealed<Resend>> _resends = [];
    private int _events;
    private Feed _feed = feed;
    private TaskCompletionSource _next = New();

    /// <summary>Ends when something new has come. To be taken before looking.</summary>
    public Task Next
    {
        get
        {
            lock (_lock)
            {
                return _next.Task;
            }
        }
    }

    public Feed Feed
    {
        get
        {
            lock (_lock)
            {
                return _feed;
            }
        }
    }

    /// <summary>The first request to send events again; null where there is none.</summary>
    public Sealed<Resend>? Resend
    {
        get
        {
            lock (_lock)
            {
                return _resends.Count == 0 ? null : _resends[0];
            }
        }
    }

    public void Hear(Feed feed, FeedBlock? added)
    {
        lock (_lock)
        {
            if (feed.Id == _feed.Id && feed.Last <= _feed.Last && feed.SubscriptionVersion <= _feed.SubscriptionVersion && feed.Fault == _feed.Fault && feed.Counts == _feed.Counts)
            {
                return; // known
            }
            if (feed.Id != _feed.Id)
            {
                Forget();
            }
            if (added is not null && added.Feed == feed.Id && (_blocks.Last is null || _blocks.Last.Value.Last + 1 == added.First) && _events + added.Events.Count <= MostEvents)
            {
                _blocks.AddLast(added);
                _events += added.Events.Count;
            }
            else if (added is not null)
            {
                Forget(); // a hole in what is kept: all of it is read again
            }
            _feed = feed.Id == _feed.Id && feed.Last < _feed.Last ? feed with { Last = _feed.Last } : feed;
            Wake();
        }
    }

    public void Hear(IReadOnlyList<Sealed<Resend>> asked)
    {
        lock (_lock)
        {
            foreach (var one in asked)
            {
                if (!_resends.Exists(known => known.Id == one.Id))
                {
                    _resends.Add(one);
                    Wake();
                }
            }
        }
    }

    /// <returns>Events behind <paramref name="delivered"/>, at most that many; null where the next of them is not in memory.</returns>
    public IReadOnlyList<NumberedEvent>? Take(long delivered, int most)
    {
        lock (_lock)
        {
            while (_blocks.First is { } first && first.Value.Last <= delivered)
            {
                _events -= first.Value.Events.Count;
                _blocks.RemoveFirst();
            }
            if (_blocks.First is not { } head || head.Value.First > delivered + 1)
            {
                return null;
            }
            var taken = new List<NumberedEvent>(most);
            foreach (var block in _blocks)
            {
                for (var i = Math.Max(0, delivered + 1 - block.First); i < block.Events.Count && taken.Count < most; i++)
                {
                    taken.Add(new(block.First + i, block.Events[(int)i]));
                }
            }
            return taken;
        }
    }

    /// <summary>A part of the first request is done.</summary>
    public void Narrow(Resend left)
    {
        lock (_lock)
        {
            _resends[0] = _resends[0] with { Value = left };
        }
    }

    public void Done(string resend)
    {
        lock (_lock)
        {
            _resends.RemoveAll(known => known.Id == resend);
        }
    }

    private void Forget()
    {
        _blocks.Clear();
        _events = 0;
    }

    private void Wake()
    {
        var woken = _next;
        _next = New();
        woken.TrySetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
