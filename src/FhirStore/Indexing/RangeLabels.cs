using System.Buffers.Binary;
using System.Collections.Immutable;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Indexing;

/// <summary>
/// Finds whole numbers in a range without telling their order: each number has one keyed label per level, and one label of
/// level n stands for 32 of level n - 1. A range is asked for by the labels that cover it.
/// </summary>
internal sealed class RangeLabels
{
    private const int Bits = 5;
    private const int Width = 8;
    private const int FewEnough = 16;
    private const int TooMany = 256;

    private readonly int _maximum;
    private readonly IndexField[] _fields;
    private readonly IndexTokenKey[] _keys;

    /// <param name="maximum">Largest number; the smallest is 0.</param>
    public RangeLabels(string type, string name, IndexTokens tokens, int levels, int maximum)
    {
        _maximum = maximum;
        _fields = [.. Enumerable.Range(0, levels).Select(l => IndexField.Of($"{type}.{name}:{l}"))];
        _keys = [.. Enumerable.Range(0, levels).Select(l => tokens.KeyFor($"{type}/{name}/level-{l}"))];
    }

    public void Add(int number, IndexEntries.Builder entries)
    {
        Span<byte> label = stackalloc byte[Width];
        for (var level = 0; level < _fields.Length; level++)
        {
            Label(level, number >> (Bits * level), label);
            entries.Add(_fields[level], label);
        }
    }

    /// <summary>A condition that every number from <paramref name="first"/> to <paramref name="last"/> (both included) fulfils, and some others may.</summary>
    public Predicate Cover(int first, int last)
    {
        first = Math.Max(first, 0);
        last = Math.Min(last, _maximum);
        if (first > last)
        {
            return Predicate.Nothing;
        }
        var level = FinestLevel(first, last);
        var labels = ImmutableArray.CreateBuilder<Predicate>();
        long at = first >> (Bits * level);
        long end = last >> (Bits * level);
        while (at <= end)
        {
            // Take the coarsest label that begins here and does not reach far beyond the end.
            var (up, block) = (level, at);
            var size = 1L;
            while (up + 1 < _fields.Length && (block & ((1 << Bits) - 1)) == 0 && at + (size << Bits) - 1 <= end)
            {
                up++;
                block >>= Bits;
                size <<= Bits;
            }
            var label = new byte[Width];
            Label(up, (int)block, label);
            labels.Add(new Predicate.EqualTo(_fields[up], label));
            if (labels.Count > TooMany)
            {
                return Predicate.Everything;
            }
            at += size;
        }
        return labels.Count == 1 ? labels[0] : new Predicate.AnyOf(labels.DrainToImmutable());
    }

    // Ends need not be met exactly: hits are checked.
    private int FinestLevel(int first, int last)
    {
        var open = last == _maximum || first == 0;
        for (var level = 0; level < _fields.Length; level++)
        {
            if ((last >> (Bits * level)) - (first >> (Bits * level)) < FewEnough)
            {
                return level;
            }
        }
        return open ? Math.Min(1, _fields.Length - 1) : Math.Max(0, _fields.Length - 2);
    }

    private void Label(int level, int block, Span<byte> label)
    {
        Span<byte> number = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(number, block);
        _keys[level].Token(number, label);
    }
}
