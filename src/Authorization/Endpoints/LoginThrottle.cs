using System.Collections.Concurrent;
using Authorization.Clients;

namespace Authorization.Endpoints;

/// <summary>
/// Counts failed authentications of a client from one address: after ten in a minute it must wait for the minute to end.
/// In memory, for this process: it makes guessing slow, the length of the secrets makes it hopeless.
/// </summary>
public sealed class LoginThrottle(TimeProvider clock)
{
    public const int Failures = 10;
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private const int MostKeys = 10_000;

    private readonly ConcurrentDictionary<string, Counter> _counters = new(StringComparer.Ordinal);

    internal int Count => _counters.Count;

    /// <returns>Null when it may try; otherwise how long it must wait.</returns>
    public TimeSpan? WaitFor(string clientId, string? address)
    {
        if (!_counters.TryGetValue(Key(clientId, address), out var counter) || counter.Failures < Failures)
        {
            return null;
        }
        var left = counter.Start + Window - clock.GetUtcNow();
        return left > TimeSpan.Zero ? left : null;
    }

    public void Failed(string clientId, string? address)
    {
        if (clientId.Length > ClientDefinition.LongestId)
        {
            return; // no client has such an id, and keeping it would cost memory
        }
        var now = clock.GetUtcNow();
        if (_counters.Count >= MostKeys)
        {
            MakeRoom(now);
        }
        _counters.AddOrUpdate(
            Key(clientId, address),
            static (_, now) => new(now, 1),
            static (_, old, now) => now < old.Start + Window ? old with { Failures = old.Failures + 1 } : new(now, 1),
            now);
    }

    public void Succeeded(string clientId, string? address) => _counters.TryRemove(Key(clientId, address), out _);

    private void MakeRoom(DateTimeOffset now)
    {
        foreach (var (key, counter) in _counters)
        {
            if (now >= counter.Start + Window)
            {
                _counters.TryRemove(key, out _);
            }
        }
        if (_counters.Count >= MostKeys)
        {
            _counters.Clear(); // a flood of invented ids: its memory stays bounded
        }
    }

    private static string Key(string clientId, string? address) => $"{address} {clientId}";

    private readonly record struct Counter(DateTimeOffset Start, int Failures);
}
