using FhirCore;
using FhirStore.Encryption;

namespace FhirStore.Slots;

/// <summary>A day as it lies in the shared cache: sealed, and bound to its schedule and day, so that nothing can be read, altered or swapped there.</summary>
internal sealed class SlotDayFormat(DataProtector protector)
{
    private const byte Format = 1;

    public byte[] Write(SlotDayKey key, SlotDay day)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Format);
        writer.Write(day.Stamp);
        writer.Write7BitEncodedInt(day.Slots.Length);
        foreach (var (start, resource) in day.Slots)
        {
            writer.Write(start);
            writer.Write(resource.Key.Id);
            writer.Write7BitEncodedInt64(resource.Version);
            writer.Write(resource.LastUpdated.UtcTicks);
            writer.Write7BitEncodedInt(resource.Json.Length);
            writer.Write(resource.Json.Span);
        }
        writer.Flush();
        return protector.SealBytes(Purpose(key), bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <returns>Null where it is of another stamp, another version of the server, or none that this database's processes made.</returns>
    public SlotDay? Read(SlotDayKey key, byte[] sealedBytes, long stamp)
    {
        if (!protector.TryOpenBytes(Purpose(key), sealedBytes, out var bytes))
        {
            return null;
        }
        using var reader = new BinaryReader(new MemoryStream(bytes));
        if (reader.ReadByte() != Format || reader.ReadInt64() != stamp)
        {
            return null;
        }
        var slots = new FreeSlot[reader.Read7BitEncodedInt()];
        for (var i = 0; i < slots.Length; i++)
        {
            var start = reader.ReadInt64();
            var id = reader.ReadString();
            var version = reader.Read7BitEncodedInt64();
            var updated = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
            var length = reader.Read7BitEncodedInt();
            slots[i] = new(start, new(new("Slot", id), version, updated, false, reader.ReadBytes(length)));
        }
        return new(stamp, slots);
    }

    private static string Purpose(SlotDayKey key) => key.CacheKey;
}
