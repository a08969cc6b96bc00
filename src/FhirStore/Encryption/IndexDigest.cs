using System.Buffers;
using System.Security.Cryptography;
using FhirCore.Records;

namespace FhirStore.Encryption;

/// <summary>
/// What a body says of its record's index entries: their SHA-256, cut to 16 bytes. The entries are readable on the engine anyway, so
/// a plain digest tells nothing new; the body's own tag protects it. The entry that every store keeps by itself (the time of the last
/// update) is compared with the record instead.
/// </summary>
internal static class IndexDigest
{
    public const int Size = 16;

    private const int UsualBlock = 2048;
    private const int HeadOfEntry = 5;

    public static void Compute(IndexEntries entries, Span<byte> digest)
    {
        var block = entries.Block.Span;
        var rented = block.Length > UsualBlock ? ArrayPool<byte>.Shared.Rent(block.Length) : null;
        var own = rented ?? stackalloc byte[UsualBlock];
        var (at, to) = (0, 0);
        foreach (var entry in entries)
        {
            var size = HeadOfEntry + entry.Value.Length;
            if (entry.Field != IndexField.LastUpdated)
            {
                block.Slice(at, size).CopyTo(own[to..]);
                to += size;
            }
            at += size;
        }
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(own[..to], hash);
        hash[..Size].CopyTo(digest);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    public static bool Matches(StoredRecord record, ReadOnlySpan<byte> digest)
    {
        Span<byte> own = stackalloc byte[Size];
        Compute(record.Index, own);
        if (!own.SequenceEqual(digest))
        {
            return false;
        }
        var updated = record.Index.First(IndexField.LastUpdated).Span;
        Span<byte> expected = stackalloc byte[SortableTime.Length];
        SortableTime.Write(record.LastUpdated, expected);
        return updated.IsEmpty || updated.SequenceEqual(expected);
    }
}
