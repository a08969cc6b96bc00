using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace FhirCore.Events;

/// <summary>One of the lanes that a log with partitions has for a resource type. Its name says everything about it, for as long as progress in it matters.</summary>
/// <param name="Topic">The resource type in lower case.</param>
/// <param name="Number">From 0.</param>
/// <param name="Of">How many the type has; as long as it stays the same, events of one partition stay in one lane.</param>
public readonly record struct EventLane(string Topic, int Number, int Of)
{
    public static EventLane For(string type, string partition, int of)
    {
        ArgumentNullException.ThrowIfNull(type);
        return new(TopicOf(type), NumberOf(partition, of), of);
    }

    public static string TopicOf(string type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type.ToLowerInvariant();
    }

    /// <summary>As Kafka's own producers in Java place a key: murmur2 of its UTF-8 bytes, without the sign, modulo the number of partitions.</summary>
    public static int NumberOf(string partition, int of)
    {
        ArgumentNullException.ThrowIfNull(partition);
        ArgumentOutOfRangeException.ThrowIfLessThan(of, 1);
        Span<byte> key = stackalloc byte[256];
        var bytes = Encoding.UTF8.TryGetBytes(partition, key, out var length) ? key[..length] : Encoding.UTF8.GetBytes(partition);
        return (int)(Murmur2(bytes) & 0x7fff_ffff) % of;
    }

    /// <returns>False where it is no name of such a lane.</returns>
    public static bool TryParse(string name, out EventLane lane)
    {
        ArgumentNullException.ThrowIfNull(name);
        lane = default;
        if (name.Split('-') is not [{ Length: > 0 } topic, var place] || place.Split("of") is not [var number, var of]
            || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || !int.TryParse(of, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || n >= count)
        {
            return false;
        }
        lane = new(topic, n, count);
        return true;
    }

    /// <returns>Such as <c>appointment-3of12</c>.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Topic}-{Number}of{Of}");

    private static uint Murmur2(ReadOnlySpan<byte> data)
    {
        const uint seed = 0x9747b28c, m = 0x5bd1e995;
        const int r = 24;
        var h = seed ^ (uint)data.Length;
        for (; data.Length >= 4; data = data[4..])
        {
            var k = BinaryPrimitives.ReadUInt32LittleEndian(data) * m;
            k = (k ^ (k >> r)) * m;
            h = (h * m) ^ k;
        }
        for (var i = data.Length - 1; i >= 0; i--)
        {
            h ^= (uint)data[i] << (8 * i);
        }
        if (!data.IsEmpty)
        {
            h *= m;
        }
        h = (h ^ (h >> 13)) * m;
        return h ^ (h >> 15);
    }
}
