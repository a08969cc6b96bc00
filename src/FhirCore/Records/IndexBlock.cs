using System.Buffers.Binary;

namespace FhirCore.Records;

/// <summary>For adapters, which store the flat block of <see cref="IndexEntries"/>: field (4), length (1), value; sorted, without repeats.</summary>
public static class IndexBlock
{
    private const int Head = 5;

    /// <summary>Whether the block is a row of whole entries.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> block)
    {
        var at = 0;
        while (at < block.Length)
        {
            if (block.Length - at < Head || block[at + 4] == 0)
            {
                return false;
            }
            at += Head + block[at + 4];
        }
        return at == block.Length;
    }

    /// <summary>The block as it is stored: checked, without what the caller says of <see cref="IndexField.LastUpdated"/>, with what is true of it.</summary>
    /// <exception cref="ArgumentException">Not a block that <see cref="IndexEntries.Builder"/> could have made.</exception>
    public static byte[] WithLastUpdated(ReadOnlySpan<byte> block, DateTimeOffset lastUpdated)
    {
        Span<byte> own = stackalloc byte[Head + SortableTime.Length];
        BinaryPrimitives.WriteUInt32BigEndian(own, IndexField.LastUpdated.Number);
        own[4] = SortableTime.Length;
        SortableTime.Write(lastUpdated, own[Head..]);

        var whole = new byte[block.Length + own.Length];
        var length = 0;
        var placed = false;
        var previous = ReadOnlySpan<byte>.Empty;
        while (TakeFirst(ref block, out var entry))
        {
            if (entry.SequenceCompareTo(previous) <= 0)
            {
                throw new ArgumentException("Index entries are sorted and without repeats.", nameof(block));
            }
            previous = entry;
            var field = entry[..4].SequenceCompareTo(own[..4]);
            if (field == 0)
            {
                continue;
            }
            if (field > 0 && !placed)
            {
                own.CopyTo(whole.AsSpan(length));
                length += own.Length;
                placed = true;
            }
            entry.CopyTo(whole.AsSpan(length));
            length += entry.Length;
        }
        if (!placed)
        {
            own.CopyTo(whole.AsSpan(length));
            length += own.Length;
        }
        return length == whole.Length ? whole : whole[..length];
    }

    /// <summary>Takes the first entry off the block; <see langword="false"/> at its end.</summary>
    /// <exception cref="ArgumentException">The rest is not whole entries.</exception>
    public static bool TakeFirst(scoped ref ReadOnlySpan<byte> block, out ReadOnlySpan<byte> entry)
    {
        if (block.IsEmpty)
        {
            entry = default;
            return false;
        }
        if (block.Length <= Head || block[4] == 0 || block.Length < Head + block[4])
        {
            throw new ArgumentException("Index entries are cut short.", nameof(block));
        }
        entry = block[..(Head + block[4])];
        block = block[entry.Length..];
        return true;
    }

    public static IndexField FieldOf(ReadOnlySpan<byte> entry) => new(BinaryPrimitives.ReadUInt32BigEndian(entry));

    public static ReadOnlySpan<byte> ValueOf(ReadOnlySpan<byte> entry) => entry[Head..];
}
