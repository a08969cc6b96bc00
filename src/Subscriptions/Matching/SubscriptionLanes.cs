using FhirCore.Events;
using FhirCore.Records;

namespace Subscriptions.Matching;

/// <summary>
/// Where an event log has lanes by type, a change may be told before that of a subscription that came earlier in the change log. What a
/// subscription is at an event's place in the log is known once the changes of subscriptions before it are followed.
/// </summary>
internal sealed class SubscriptionLanes(IRecordStore records)
{
    private const string SubscriptionType = "Subscription";

    /// <summary>Those before are long followed; a process that has just started need not look at all there ever were.</summary>
    private const int MostLooked = 100;

    private long _followed;

    /// <summary>Whether subscriptions come by other lanes than this one.</summary>
    public static bool AreOthersThan(string lane) => EventLane.TryParse(lane, out var parsed) && parsed.Topic != EventLane.TopicOf(SubscriptionType);

    /// <summary>Whether the book knows what has become of subscriptions up to a place in the change log.</summary>
    public async ValueTask<bool> AreFollowedAsync(SubscriptionBook book, long upTo, CancellationToken ct)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var (before, looks) = ((long?)upTo + 1, 0); before > _followed && looks < MostLooked; looks++)
        {
            var page = await records.HistoryAsync(new(SubscriptionType, null, null, before, 1), ct);
            if (page.Versions is not [var version])
            {
                break;
            }
            if (seen.Add(version.Key.Id) && !await IsFollowedAsync(book, version, ct))
            {
                return false;
            }
            before = page.Next;
        }
        GiveUp(upTo);
        return true;
    }

    /// <summary>What stands before this place is not waited for any more.</summary>
    public void GiveUp(long upTo) => _followed = Math.Max(_followed, upTo);

    private async ValueTask<bool> IsFollowedAsync(SubscriptionBook book, StoredRecord version, CancellationToken ct)
    {
        if (book.Entries.TryGetValue(version.Key.Id, out var entry))
        {
            return entry.Feed.SubscriptionVersion >= version.Version;
        }
        return version.Deleted || await records.GetAsync(version.Key, ct) is not { Deleted: false };
    }
}
