using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace FhirStore.Model;

/// <summary>A read-only map from UTF-8 names to values, so that names in a body are looked up without making strings of them.</summary>
internal sealed class Utf8Table<T>
    where T : class
{
    private readonly (byte[] Name, T Value)[] _slots;
    private readonly int _mask;

    public Utf8Table(IReadOnlyCollection<T> values, Func<T, string> name)
    {
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, values.Count * 2));
        _slots = new (byte[], T)[size];
        _mask = size - 1;
        foreach (var value in values)
        {
            var bytes = Encoding.UTF8.GetBytes(name(value));
            var at = Hash(bytes) & _mask;
            while (_slots[at].Name is not null)
            {
                at = (at + 1) & _mask;
            }
            _slots[at] = (bytes, value);
        }
    }

    public T? Find(ReadOnlySpan<byte> name)
    {
        for (var at = Hash(name) & _mask; _slots[at].Name is { } found; at = (at + 1) & _mask)
        {
            if (name.SequenceEqual(found))
            {
                return _slots[at].Value;
            }
        }
        return null;
    }

    /// <summary>Mixes the length and three places: FHIR's names differ at their start, middle or end.</summary>
    private static int Hash(ReadOnlySpan<byte> name)
    {
        var length = name.Length;
        if (length < 4)
        {
            return length switch
            {
                0 => 0,
                1 => name[0] * 31,
                _ => (name[0] * 31) + (name[1] * 17) + name[length - 1],
            };
        }
        var first = BinaryPrimitives.ReadUInt32LittleEndian(name);
        var middle = BinaryPrimitives.ReadUInt32LittleEndian(name[((length - 4) / 2)..]);
        var last = BinaryPrimitives.ReadUInt32LittleEndian(name[(length - 4)..]);
        var mixed = ((first * 0x9E3779B1u) ^ (middle * 0x85EBCA77u) ^ (last * 0xC2B2AE3Du)) + (uint)length;
        return (int)(mixed ^ (mixed >> 15));
    }
}
