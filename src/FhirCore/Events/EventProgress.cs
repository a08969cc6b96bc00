using System.Buffers.Binary;
using FhirCore.Records;

namespace FhirCore.Events;

/// <summary>
/// How far a group has come in a lane: one internal record, written only at the version that was read, so that of two followers of a
/// lane one finds out. Body: format (1 byte), sequence of the last event handled, offset behind it on the engine, what the offset
/// belongs to (8 bytes each).
/// </summary>
/// <param name="Version">Of the record; 0 where there is none yet.</param>
/// <param name="Sequence">Everything of the lane up to here is handled.</param>
/// <param name="Offset">Where the engine goes on, in its own numbers; 0 where it needs none.</param>
/// <param name="Origin">Of which of its numberings the offset is; 0 where the engine has one only.</param>
public sealed record EventProgress(ResourceKey Key, long Version, long Sequence, long Offset, long Origin)
{
    public const string RecordType = "_EventProgress";

    /// <summary>
    /// The lane that stands for all lanes: up to its sequence everything is handled, whichever lane it came by. So a group that moves from
    /// one log to another loses and repeats nothing.
    /// </summary>
    public const string AllLanes = "all";

    private const byte Format = 1;
    private const int Length = 1 + (3 * sizeof(long));

    /// <summary>When it was written; meaningless at version 0.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The record of a lane, whether or not it exists.</summary>
    public static ResourceKey KeyOf(string group, string lane) => new(RecordType, $"{group}.{lane}");

    /// <exception cref="StoreCorruptException">The record is not of this form.</exception>
    public static async ValueTask<EventProgress> ReadAsync(IRecordStore records, ResourceKey key, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(records);
        return await records.GetAsync(key, ct).ConfigureAwait(false) is { } record ? Parse(record) : new(key, 0, 0, 0, 0);
    }

    /// <returns>Lanes that the group has progress in, <see cref="AllLanes"/> among them.</returns>
    /// <exception cref="StoreCorruptException">A record is not of this form.</exception>
    public static async Task<IReadOnlyList<(string Lane, EventProgress Progress)>> ReadLanesAsync(IRecordStore records, string group, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(records);
        const int pageSize = 500;
        var prefix = $"{group}.";
        var lanes = new List<(string, EventProgress)>();
        for (var after = new RecordCursor(default, prefix); ;)
        {
            var page = await records.QueryAsync(new(RecordType, Predicate.Everything, RecordOrder.ById, after, pageSize), ct).ConfigureAwait(false);
            foreach (var record in page.Records)
            {
                if (!record.Key.Id.StartsWith(prefix, StringComparison.Ordinal))
                {
                    return lanes;
                }
                lanes.Add((record.Key.Id[prefix.Length..], Parse(record)));
            }
            if (page.Next is not { } next)
            {
                return lanes;
            }
            after = next;
        }
    }

    /// <summary>The write that moves it, and what it will be.</summary>
    public (RecordWrite Write, EventProgress Then) To(long sequence, long offset, long origin, DateTimeOffset now)
    {
        var body = new byte[Length];
        body[0] = Format;
        BinaryPrimitives.WriteInt64BigEndian(body.AsSpan(1), sequence);
        BinaryPrimitives.WriteInt64BigEndian(body.AsSpan(1 + sizeof(long)), offset);
        BinaryPrimitives.WriteInt64BigEndian(body.AsSpan(1 + (2 * sizeof(long))), origin);
        var record = new StoredRecord
        {
            Key = Key,
            Version = Version + 1,
            LastUpdated = now.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerMillisecond)).ToUniversalTime(),
            Partition = Key.Id,
            Body = body,
        };
        return (new(record, Version, Journal: false, "progress"), new(Key, Version + 1, sequence, offset, origin) { At = record.LastUpdated });
    }

    private static EventProgress Parse(StoredRecord record)
    {
        var body = record.Body.Span;
        return !record.Deleted && body.Length == Length && body[0] == Format
            ? new(record.Key, record.Version, At(body, 0), At(body, 1), At(body, 2)) { At = record.LastUpdated }
            : throw new StoreCorruptException($"The progress {record.Key} is damaged.");

        static long At(ReadOnlySpan<byte> body, int index) => BinaryPrimitives.ReadInt64BigEndian(body[(1 + (index * sizeof(long)))..]);
    }
}
