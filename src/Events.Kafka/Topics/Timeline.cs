using System.Security.Cryptography;
using System.Text;
using FhirCore;
using FhirCore.Records;

namespace Events.Kafka.Topics;

/// <summary>
/// What sequences of the change log count in: a drawn name, kept in the store. Messages carry it. A store that was put back to an earlier
/// state gives numbers again that Kafka knows already; it is given another timeline (<see cref="EndAsync"/>), and what others have written is
/// passed over.
/// </summary>
public static class Timeline
{
    private static readonly ResourceKey Key = new("_EventTimeline", "current");

    private const string Prefix = "urn:uuid:";

    /// <returns>Such as <c>urn:uuid:…</c>; made where there is none.</returns>
    internal static async Task<string> ReadAsync(IRecordStore records, TimeProvider clock, CancellationToken ct)
    {
        while (true)
        {
            if (await records.GetAsync(Key, ct).ConfigureAwait(false) is { } record)
            {
                return Encoding.ASCII.GetString(record.Body.Span);
            }
            var now = clock.GetUtcNow();
            var drawn = new StoredRecord
            {
                Key = Key,
                Version = 1,
                LastUpdated = now.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerMillisecond)).ToUniversalTime(),
                Partition = Key.Id,
                Body = Encoding.ASCII.GetBytes(Prefix + new Guid(RandomNumberGenerator.GetBytes(16)).ToString("D")),
            };
            await records.CommitAsync(Commit.Of(new RecordWrite(drawn, 0, Journal: false, "timeline")), ct).ConfigureAwait(false);
        }
    }

    /// <summary>To be called of a store that was restored from a backup, before it is used: it goes on under another name.</summary>
    public static Task EndAsync(IRecordStore records, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(records);
        return records.CommitAsync(new([], [], [Key]), ct);
    }
}
