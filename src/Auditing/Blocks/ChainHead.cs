using FhirCore.Records;

namespace Auditing.Blocks;

/// <summary>
/// How far a chain has come: written in the commit of every block, so that a block cut off at the end is missed. One chain belongs to one
/// run of one process.
/// </summary>
/// <param name="Blocks">Blocks so far.</param>
/// <param name="Entries">Entries so far.</param>
/// <param name="Hash">After the last entry.</param>
internal sealed record ChainHead(string Chain, long Blocks, long Entries, byte[] Hash, DateTimeOffset Opened)
{
    public const string RecordType = "_AuditChain";

    private const byte Format = 1;

    public byte[] Write()
    {
        var bytes = new ByteWriter(96);
        bytes.Byte(Format);
        bytes.Text(Chain);
        bytes.Number(Blocks);
        bytes.Number(Entries);
        bytes.Bytes(Hash);
        bytes.Int64(BlockId.MicrosecondsOf(Opened));
        return bytes.Written.ToArray();
    }

    /// <exception cref="StoreCorruptException">The body is no head.</exception>
    public static ChainHead Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var bytes = new ByteReader(body);
            return bytes.Byte() == Format
                ? new(bytes.Text() ?? "", bytes.Number(), bytes.Number(), bytes.Bytes().ToArray(), new(bytes.Int64() * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero))
                : throw new FormatException("The format is not known.");
        }
        catch (Exception why) when (why is FormatException or ArgumentOutOfRangeException)
        {
            throw new StoreCorruptException("The head of an audit chain cannot be read.", why) { Summary = "audit chain" };
        }
    }
}

/// <summary>Where a chain begins since the oldest of it was removed when its time was over.</summary>
/// <param name="Block">Number of the first block that is kept.</param>
/// <param name="Before">Hash that block follows.</param>
/// <param name="Entries">Entries that were removed.</param>
internal sealed record ChainStart(string Chain, long Block, byte[] Before, long Entries)
{
    public const string RecordType = "_AuditKept";

    private const byte Format = 1;

    public byte[] Write()
    {
        var bytes = new ByteWriter(96);
        bytes.Byte(Format);
        bytes.Text(Chain);
        bytes.Number(Block);
        bytes.Bytes(Before);
        bytes.Number(Entries);
        return bytes.Written.ToArray();
    }

    /// <exception cref="StoreCorruptException">The body is no start.</exception>
    public static ChainStart Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var bytes = new ByteReader(body);
            return bytes.Byte() == Format
                ? new(bytes.Text() ?? "", bytes.Number(), bytes.Bytes().ToArray(), bytes.Number())
                : throw new FormatException("The format is not known.");
        }
        catch (FormatException why)
        {
            throw new StoreCorruptException("The start of an audit chain cannot be read.", why) { Summary = "audit chain" };
        }
    }
}
