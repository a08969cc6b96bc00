using System.Buffers.Binary;
using FhirCore;
using FhirCore.Records;

namespace Events.Kafka.Topics;

/// <summary>
/// What the store knows of one topic. Body of its record: format (1 byte), partitions (4), origin (8), since (8).
/// </summary>
/// <param name="Partitions">For ever.</param>
/// <param name="Origin">Which topic it is, in which timeline: another once it was deleted and made anew, so that offsets of the old one mean nothing.</param>
/// <param name="Since">Events of the type with a higher sequence are in this topic, or will be; others were in one that is no more.</param>
internal sealed record TopicEntry(string Topic, long Version, int Partitions, long Origin, long Since)
{
    public const string RecordType = "_EventTopic";

    private const byte Format = 1;
    private const int Length = 1 + sizeof(int) + (2 * sizeof(long));

    public static ResourceKey KeyOf(string topic) => new(RecordType, topic);

    /// <returns>Version 0 where there is none.</returns>
    public static async Task<TopicEntry> ReadAsync(IRecordStore records, string topic, CancellationToken ct) =>
        await records.GetAsync(KeyOf(topic), ct).ConfigureAwait(false) is { } record ? Parse(record) : new(topic, 0, 0, 0, 0);

    /// <exception cref="StoreCorruptException">The record is not of this form.</exception>
    public static TopicEntry Parse(StoredRecord record)
    {
        var body = record.Body.Span;
        return !record.Deleted && body.Length == Length && body[0] == Format
            ? new(record.Key.Id, record.Version, BinaryPrimitives.ReadInt32BigEndian(body[1..]), BinaryPrimitives.ReadInt64BigEndian(body[5..]), BinaryPrimitives.ReadInt64BigEndian(body[13..]))
            : throw new StoreCorruptException($"The record {record.Key} of a topic is damaged.");
    }

    public RecordWrite Write(DateTimeOffset now)
    {
        var body = new byte[Length];
        body[0] = Format;
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(1), Partitions);
        BinaryPrimitives.WriteInt64BigEndian(body.AsSpan(5), Origin);
        BinaryPrimitives.WriteInt64BigEndian(body.AsSpan(13), Since);
        var record = new StoredRecord
        {
            Key = KeyOf(Topic),
            Version = Version + 1,
            LastUpdated = now.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerMillisecond)).ToUniversalTime(),
            Partition = Topic,
            Body = body,
        };
        return new(record, Version, Journal: false, "topic");
    }
}
