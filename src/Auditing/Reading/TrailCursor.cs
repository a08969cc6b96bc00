using System.Collections.Immutable;

namespace Auditing.Reading;

/// <summary>
/// What the next link of a search over the trail carries, sealed: the search, and where its last page ended; or, once the trail is read,
/// the next link of the search over what clients have stored.
/// </summary>
/// <param name="Caller">Whom it was given to: the total in it was counted for them.</param>
/// <param name="Block">Id of the block of the last match; empty before the first.</param>
/// <param name="Index">Index in it of the last match; what comes before it comes next.</param>
/// <param name="Total">Counted for the first page.</param>
/// <param name="TrailDone">Only the stored ones are left.</param>
/// <param name="StoredPage">Next link of the search over the stored ones; null for its first page.</param>
internal sealed record TrailCursor(
    ImmutableArray<KeyValuePair<string, string>> Parameters, bool Strict, string Caller, string Block, int Index, long? Total, bool TrailDone, string? StoredPage)
{
    private const byte Format = 1;

    public byte[] Write()
    {
        var bytes = new Blocks.ByteWriter(256);
        bytes.Byte(Format);
        bytes.Byte((byte)((Strict ? 1 : 0) | (TrailDone ? 2 : 0)));
        bytes.Number(Parameters.Length);
        foreach (var (name, value) in Parameters)
        {
            bytes.Text(name);
            bytes.Text(value);
        }
        bytes.Text(Caller);
        bytes.Text(Block);
        bytes.Number(Index);
        bytes.Number((Total ?? -1) + 1);
        bytes.Text(StoredPage);
        return bytes.Written.ToArray();
    }

    /// <returns>Null where another version of the server made it.</returns>
    public static TrailCursor? Read(byte[] sealedBytes)
    {
        var bytes = new Blocks.ByteReader(sealedBytes);
        if (bytes.Byte() != Format)
        {
            return null;
        }
        var flags = bytes.Byte();
        var parameters = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        for (var left = bytes.Count(); left > 0; left--)
        {
            parameters.Add(new(bytes.Text() ?? "", bytes.Text() ?? ""));
        }
        var caller = bytes.Text() ?? "";
        var (block, index, total) = (bytes.Text() ?? "", (int)bytes.Number(), bytes.Number() - 1);
        return new(parameters.DrainToImmutable(), (flags & 1) != 0, caller, block, index, total < 0 ? null : total, (flags & 2) != 0, bytes.Text());
    }
}
