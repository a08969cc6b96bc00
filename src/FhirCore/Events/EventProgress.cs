using System.Buffers.Binary;
using FhirCore.Records;

namespace FhirCore.Events;

/// <summary>
/// How far a group has come in a lane: one internal record, written only at the version that was read, so that of two followers of a
/// lane one finds out. Body: format (1 byte), sequence of the last event handled (8 bytes), offset behind it on the engine (8 bytes).
/// </summary>
/// <param name="Version">Of the record; 0 where there is none yet.</param>
/// <param name="Sequence">Everything up to here is handled.</param>
/// <param name="Offset">Where the engine goes on, in its own numbers; 0 where it needs none.</param>
public sealed record EventProgress(ResourceKey Key, long Version, long Sequence, long Offset)
{
    public const string RecordType = "_EventProgress";

    private const byte Format = 1;
    private const int Length = 1 + (2 * sizeof(long));

    /// <summary>The record of a lane, whether or not it exists.</summary>
    public static ResourceKey KeyOf(string group, string lane) => new(RecordType, $"{group}.{lane}");

    /// <exception cref="StoreCorruptException">The record is not of this form.</exception>
    public static async ValueTask<EventProgress> ReadAsync(IRecordStore records, ResourceKey key, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(records);
        return await records.GetAsync(key, ct).ConfigureAwait(false) switch
        {
            null => new(key, 0, 0, 0),
            { Deleted: false, Body: { Length: Length } body } record when body.Span[0] == Format => new(
                key, record.Version, BinaryPrimitives.ReadInt64BigEndian(body.Span[1..]), BinaryPrimitives.ReadInt64BigEndian(body.Span[(1 + sizeof(long))..])),
            _ => throw new StoreCorruptException($"The progress {key} is damaged."),
        };
    }

    /// <summary>The write that moves it, and what it will be.</summary>
    public (RecordWrite Write, EventProgress Then) To(long sequence, long offset, DateTimeOffset now)
    {
        var body = new byte[Length];
        body[0] = Format;
        BinaryPrimitives.WriteInt64BigEndian(body.AsSpan(1), sequence);
        BinaryPrimitives.WriteInt64BigEndian(body.AsSpan(1 + sizeof(long)), offset);
        var record = new StoredRecord
        {
            Key = Key,
            Version = Version + 1,
            LastUpdated = now.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerMillisecond)).ToUniversalTime(),
            Partition = Key.Id,
            Body = body,
        };
        return (new(record, Version, Journal: false, "progress"), this with { Version = Version + 1, Sequence = sequence, Offset = offset });
    }
}
