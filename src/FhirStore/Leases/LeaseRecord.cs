using FhirCore;
using FhirCore.Records;

namespace FhirStore.Leases;

/// <summary>
/// The record of one lease. Body: format (1 byte), 1 while it is held and 0 once it is given back (1 byte), the holder (16 bytes, drawn).
/// Its version only ever grows: it is written over, never removed, so that no version means two holders.
/// </summary>
internal static class LeaseRecord
{
    public const string RecordType = "_Lease";
    public const int HolderLength = 16;

    private const byte Format = 1;
    private const byte GivenBack = 0;
    private const byte Held = 1;

    public static RecordWrite Write(ResourceKey key, long expected, ReadOnlySpan<byte> holder, bool held, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        var record = new StoredRecord
        {
            Key = key,
            Version = expected + 1,
            LastUpdated = now.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerMillisecond)), // for whoever looks; no decision rests on it
            Partition = key.Id,
            Body = (byte[])[Format, held ? Held : GivenBack, .. holder],
        };
        return new(record, expected, Journal: false, Cause: "lease");
    }

    /// <returns>Empty where nobody holds it.</returns>
    /// <exception cref="StoreCorruptException">The body is not of this form.</exception>
    public static ReadOnlySpan<byte> HolderOf(StoredRecord? record)
    {
        if (record is null or { Deleted: true })
        {
            return default;
        }
        var body = record.Body.Span;
        return body.Length == 2 + HolderLength && body[0] == Format && body[1] is Held or GivenBack
            ? body[1] == Held ? body[2..] : default
            : throw new StoreCorruptException($"The lease {record.Key} is damaged.");
    }
}
