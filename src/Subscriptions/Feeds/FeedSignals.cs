using System.Collections.Concurrent;

namespace Subscriptions.Feeds;

/// <summary>What has just become of a feed, told within the process; the blocks are those that the same commit has stored.</summary>
/// <param name="Feed">Null: it is gone.</param>
public sealed record FeedNews(string Subscription, Feed? Feed, FeedBlock? Added);

/// <summary>
/// Wakes whoever delivers in this process as soon as something was matched here. What other processes match is not told: followers look
/// at <see cref="Shards.Stamp"/> from time to time.
/// </summary>
public sealed class FeedSignals
{
    private readonly ConcurrentDictionary<Listener, bool> _listeners = new();

    /// <param name="heard">Returns at once: it is called where events are matched.</param>
    public IDisposable Listen(Action<FeedNews> heard) => new Listener(this, heard);

    public void Tell(FeedNews news)
    {
        foreach (var (listener, _) in _listeners)
        {
            listener.Heard(news);
        }
    }

    private sealed class Listener : IDisposable
    {
        private readonly FeedSignals _owner;

        public Listener(FeedSignals owner, Action<FeedNews> heard)
        {
            (_owner, Heard) = (owner, heard);
            owner._listeners.TryAdd(this, true);
        }

        public Action<FeedNews> Heard { get; }

        public void Dispose() => _owner._listeners.TryRemove(this, out _);
    }
}
