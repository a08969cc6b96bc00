using System.Buffers;
using System.Buffers.Binary;

namespace FhirCore.Records;

/// <summary>
/// The index entries of one record, as one flat block that adapters store as it is: entries sorted by field, then value,
/// without repeats; each is field (4 bytes, big-endian), length (1 byte), value.
/// </summary>
public readonly struct IndexEntries
{
    private const int Head = 5;
    private readonly ReadOnlyMemory<byte> _block;

    private IndexEntries(ReadOnlyMemory<byte> block) => _block = block;

    public static IndexEntries None => default;

    public ReadOnlyMemory<byte> Block => _block;

    /// <summary>Takes a block that <see cref="Block"/> gave.</summary>
    public static IndexEntries FromBlock(ReadOnlyMemory<byte> block) => new(block);

    public Enumerator GetEnumerator() => new(_block);

    public bool Has(IndexField field)
    {
        foreach (var entry in this)
        {
            if (entry.Field == field)
            {
                return true;
            }
        }
        return false;
    }

    public bool Has(IndexField field, ReadOnlySpan<byte> value)
    {
        foreach (var entry in this)
        {
            if (entry.Field == field && entry.Value.Span.SequenceEqual(value))
            {
                return true;
            }
        }
        return false;
    }

    /// <param name="from">Included.</param>
    /// <param name="to">Excluded; empty means no upper end.</param>
    public bool HasBetween(IndexField field, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        foreach (var entry in this)
        {
            if (entry.Field == field && entry.Value.Span.SequenceCompareTo(from) >= 0 && (to.IsEmpty || entry.Value.Span.SequenceCompareTo(to) < 0))
            {
                return true;
            }
        }
        return false;
    }

    /// <returns>The smallest value of the field, or empty where the record has none.</returns>
    public ReadOnlyMemory<byte> First(IndexField field)
    {
        foreach (var entry in this)
        {
            if (entry.Field == field)
            {
                return entry.Value;
            }
        }
        return default;
    }

    public readonly record struct Entry(IndexField Field, ReadOnlyMemory<byte> Value);

    public struct Enumerator
    {
        private readonly ReadOnlyMemory<byte> _block;
        private int _next;

        internal Enumerator(ReadOnlyMemory<byte> block)
        {
            _block = block;
            _next = 0;
            Current = default;
        }

        public Entry Current { get; private set; }

        public bool MoveNext()
        {
            if (_next >= _block.Length)
            {
                return false;
            }
            var head = _block.Span.Slice(_next, Head);
            Current = new(new(BinaryPrimitives.ReadUInt32BigEndian(head)), _block.Slice(_next + Head, head[4]));
            _next += Head + head[4];
            return true;
        }
    }

    /// <summary>Collects entries in any order, repeats allowed, and builds the sorted block.</summary>
    public sealed class Builder
    {
        private readonly ArrayBufferWriter<byte> _bytes = new(512);
        private readonly List<(int Offset, int Length)> _entries = new(32);

        public int Count => _entries.Count;

        /// <exception cref="ArgumentException">The value is empty or longer than 255 bytes.</exception>
        public void Add(IndexField field, ReadOnlySpan<byte> value)
        {
            if (value.Length is 0 or > byte.MaxValue)
            {
                throw new ArgumentException("An index value has 1 to 255 bytes.", nameof(value));
            }
            var span = _bytes.GetSpan(Head + value.Length);
            BinaryPrimitives.WriteUInt32BigEndian(span, field.Number);
            span[4] = (byte)value.Length;
            value.CopyTo(span[Head..]);
            _entries.Add((_bytes.WrittenCount, Head + value.Length));
            _bytes.Advance(Head + value.Length);
        }

        public IndexEntries Build()
        {
            var bytes = _bytes.WrittenMemory;
            _entries.Sort((a, b) => bytes.Span.Slice(a.Offset, a.Length).SequenceCompareTo(bytes.Span.Slice(b.Offset, b.Length)));
            var block = new byte[bytes.Length];
            var length = 0;
            var previous = ReadOnlySpan<byte>.Empty;
            foreach (var (offset, size) in _entries)
            {
                var entry = bytes.Span.Slice(offset, size);
                if (!entry.SequenceEqual(previous))
                {
                    entry.CopyTo(block.AsSpan(length));
                    length += size;
                }
                previous = entry;
            }
            return new(block.AsMemory(0, length));
        }
    }
}
