using Auditing.Entries;
using FhirCore.Records;

namespace Auditing.Blocks;

/// <summary>
/// Entries that were stored together, as the body of one record: format (1 byte), chain, number of the block in it, number of its first
/// entry, hash before and hash after, then the entries, each with its length. All of it is sealed by the record's cipher.
/// </summary>
internal sealed class AuditBlock
{
    public const string RecordType = "_AuditBlock";

    /// <summary>Most entries of one block.</summary>
    public const int Most = 512;

    /// <summary>A block is ended when it is this long, in bytes.</summary>
    public const int Full = 1 << 20;

    /// <summary>Longest time between the entries of a block: a search by date need look no further around its bounds.</summary>
    public static readonly TimeSpan LongestSpan = TimeSpan.FromMinutes(1);

    /// <summary>The hash covers all entries at once. Format 1 hashed them one by one.</summary>
    private const byte Format = 2;

    private const byte FormatByEntry = 1;

    private readonly bool _hashedByEntry;
    private readonly ReadOnlyMemory<byte> _whole;
    private readonly ReadOnlyMemory<byte>[] _entries;

    private AuditBlock(string chain, long number, long first, byte[] before, byte[] after, bool hashedByEntry, ReadOnlyMemory<byte> whole, ReadOnlyMemory<byte>[] entries)
    {
        (Chain, Number, First, Before, After) = (chain, number, first, before, after);
        (_hashedByEntry, _whole, _entries) = (hashedByEntry, whole, entries);
    }

    public string Chain { get; }

    /// <summary>From 0, without gaps in a chain.</summary>
    public long Number { get; }

    /// <summary>Number in the chain of the first entry.</summary>
    public long First { get; }

    public byte[] Before { get; }

    public byte[] After { get; }

    public int Count => _entries.Length;

    /// <exception cref="StoreCorruptException">The bytes are not an entry's.</exception>
    public AuditEntry this[int index]
    {
        get
        {
            try
            {
                return EntryCodec.Read(_entries[index].Span);
            }
            catch (FormatException why)
            {
                throw Damaged(why);
            }
        }
    }

    public static void WriteHead(ByteWriter bytes, string chain, long number, long first, ReadOnlySpan<byte> before, ReadOnlySpan<byte> after, int count)
    {
        bytes.Byte(Format);
        bytes.Text(chain);
        bytes.Number(number);
        bytes.Number(first);
        bytes.Bytes(before);
        bytes.Bytes(after);
        bytes.Number(count);
    }

    /// <exception cref="StoreCorruptException">The body is no block.</exception>
    public static AuditBlock Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            var bytes = new ByteReader(body.Span);
            if (bytes.Byte() is var format && format is not (Format or FormatByEntry))
            {
                throw new FormatException($"Format {format} of an audit block is not known.");
            }
            var chain = bytes.Text() ?? throw new FormatException("The chain has no name.");
            var (number, first) = (bytes.Number(), bytes.Number());
            var (before, after) = (bytes.Bytes().ToArray(), bytes.Bytes().ToArray());
            var entries = new ReadOnlyMemory<byte>[bytes.Count()];
            var whole = body[^bytes.Left..];
            for (var i = 0; i < entries.Length; i++)
            {
                var entry = bytes.Bytes();
                body.Span.Overlaps(entry, out var offset);
                entries[i] = body.Slice(offset, entry.Length);
            }
            return bytes.IsAtEnd && before.Length == ChainHash.Size && after.Length == ChainHash.Size
                ? new(chain, number, first, before, after, format == FormatByEntry, whole, entries)
                : throw new FormatException("The block is not whole.");
        }
        catch (FormatException why)
        {
            throw Damaged(why);
        }
    }

    /// <summary>Whether its entries lead from the hash before to the hash after.</summary>
    public bool HoldsTogether()
    {
        Span<byte> hash = stackalloc byte[ChainHash.Size];
        Before.CopyTo(hash);
        if (_hashedByEntry)
        {
            foreach (var entry in _entries)
            {
                ChainHash.Extend(hash, entry.Span);
            }
        }
        else
        {
            ChainHash.Extend(hash, _whole.Span);
        }
        return hash.SequenceEqual(After);
    }

    private static StoreCorruptException Damaged(Exception why) => new("An audit block cannot be read.", why) { Summary = "audit block" };
}
