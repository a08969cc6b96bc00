using System.Collections.Concurrent;

namespace FhirServer.Http;

/// <summary>
/// Budgets that can be overdrawn: what a request costs is known when it is over. Whoever is in debt waits until it is paid off; nobody owes
/// more than the budget of one minute, so nobody waits longer than that.
/// </summary>
internal sealed class Budgets(int perMinute, TimeProvider clock)
{
    private const int SweepEvery = 1024;

    private readonly int _perMinute = perMinute;
    private readonly TimeProvider _clock = clock;

    private readonly ConcurrentDictionary<string, Account> _accounts = new(StringComparer.Ordinal);
    private int _opened;

    /// <summary>How many are known.</summary>
    public int Count => _accounts.Count;

    /// <returns>How long to wait; null where something is left.</returns>
    public TimeSpan? Wait(string who)
    {
        if (!_accounts.TryGetValue(who, out var account))
        {
            return null;
        }
        var left = account.Change(this, 0);
        return left >= 1 ? null : TimeSpan.FromMinutes((1 - left) / _perMinute);
    }

    public void Charge(string who, long cost)
    {
        if (cost == 0)
        {
            return;
        }
        _accounts.GetOrAdd(who, static (_, self) => self.Open(), this).Change(this, cost);
    }

    private Account Open()
    {
        if (Interlocked.Increment(ref _opened) % SweepEvery == 0)
        {
            foreach (var (who, account) in _accounts)
            {
                if (account.Change(this, 0) >= _perMinute)
                {
                    _accounts.TryRemove(new(who, account)); // what somebody charges to it at this moment is forgiven
                }
            }
        }
        return new(_perMinute, _clock.GetTimestamp());
    }

    private sealed class Account(double left, long at)
    {
        private readonly Lock _gate = new();
        private double _left = left;
        private long _at = at;

        public double Change(Budgets budgets, long cost)
        {
            lock (_gate)
            {
                var now = budgets._clock.GetTimestamp();
                var back = budgets._clock.GetElapsedTime(_at, now) / TimeSpan.FromMinutes(1) * budgets._perMinute;
                _left = Math.Max(Math.Min(_left + back, budgets._perMinute) - cost, -budgets._perMinute);
                _at = now;
                return _left;
            }
        }
    }
}
