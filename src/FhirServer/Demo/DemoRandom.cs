using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FhirServer.Demo;

/// <summary>
/// Numbers that depend on nothing but the seed and a stream's name: the 17th patient stays the same when an 18th is added,
/// and on every machine and runtime.
/// </summary>
internal sealed class DemoRandom
{
    private ulong _state;

    public DemoRandom(int seed, string stream) => _state = BinaryPrimitives.ReadUInt64BigEndian(Hash(seed, stream));

    /// <returns>A UUID made from the seed and the name (version 8, RFC 9562).</returns>
    public static string Uuid(int seed, string name)
    {
        var bytes = Hash(seed, name)[..16];
        bytes[6] = (byte)(bytes[6] & 0x0F | 0x80);
        bytes[8] = (byte)(bytes[8] & 0x3F | 0x80);
        return new Guid(bytes, bigEndian: true).ToString("D");
    }

    /// <returns>0 to <paramref name="limit"/> - 1.</returns>
    public int Below(int limit) => (int)(Next() % (uint)limit);

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <returns>True this often in a hundred.</returns>
    public bool Percent(int chance) => Below(100) < chance;

    /// <returns>From 0, below 1.</returns>
    public double Fraction() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>SplitMix64.</summary>
    private ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }

    private static byte[] Hash(int seed, string name) => SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{name}"));
}
