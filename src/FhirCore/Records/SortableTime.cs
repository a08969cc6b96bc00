using System.Buffers.Binary;

namespace FhirCore.Records;

/// <summary>Instants as 8 bytes that order as the instants do: microseconds since 0001-01-01 UTC, big-endian.</summary>
public static class SortableTime
{
    public const int Length = 8;

    public static byte[] Encode(DateTimeOffset instant)
    {
        var bytes = new byte[Length];
        Write(instant, bytes);
        return bytes;
    }

    public static void Write(DateTimeOffset instant, Span<byte> destination) =>
        BinaryPrimitives.WriteInt64BigEndian(destination, instant.UtcTicks / TimeSpan.TicksPerMicrosecond);

    public static DateTimeOffset Decode(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadInt64BigEndian(bytes) * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
}
