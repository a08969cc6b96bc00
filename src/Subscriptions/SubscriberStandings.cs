using System.Collections.Concurrent;
using FhirCore;
using FhirStore.Access;

namespace Subscriptions;

/// <summary>Standings of the last few seconds: a notification need not ask after its subscriber's account anew if the one before has just done so.</summary>
public sealed class SubscriberStandings(ISubscriberAccess access, TimeProvider clock)
{
    /// <summary>So long an access that has ended may still be used; a token of such an access is used for longer.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    private const int Most = 50_000;
    private readonly ConcurrentDictionary<string, Kept> _kept = new(StringComparer.Ordinal);

    private sealed record Kept(Outcome<SubscriberStanding> Standing, long Since);

    public async ValueTask<Outcome<SubscriberStanding>> StandAsync(KeptGrant grant, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(grant);
        var key = $"{grant.Owner} {grant.Patient} {grant.Encounter} {grant.Agreement} {grant.WhileAway} {string.Join(' ', grant.Scopes)}";
        if (_kept.TryGetValue(key, out var kept) && clock.GetElapsedTime(kept.Since) < Lifetime)
        {
            return kept.Standing;
        }
        var since = clock.GetTimestamp();
        var standing = await access.StandAsync(grant, ct);
        if (_kept.Count >= Most)
        {
            _kept.Clear();
        }
        _kept[key] = new(standing, since);
        return standing;
    }
}
