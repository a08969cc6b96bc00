using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FhirCore.Records;

/// <summary>
/// Count and digest of rows: the sum, modulo 2^256, of the SHA-256 of each. The order of the rows does not matter, every byte of
/// them does. It finds accidents; whoever can write both stores can make sums agree.
/// </summary>
public sealed class StoreDigest
{
    private const int Size = 32;
    private readonly byte[] _sum;

    public StoreDigest()
        : this(0, new byte[Size])
    {
    }

    private StoreDigest(long rows, byte[] sum) => (Rows, _sum) = (rows, sum);

    public long Rows { get; private set; }

    public void Add(StoreRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(Encode(row), hash);
        var carry = 0;
        for (var i = Size - 1; i >= 0; i--)
        {
            carry += _sum[i] + hash[i];
            _sum[i] = (byte)carry;
            carry >>= 8;
        }
        Rows++;
    }

    /// <returns>Count and sum, to go on from with <see cref="Parse"/>.</returns>
    public override string ToString() => $"{Rows}:{Convert.ToHexStringLower(_sum)}";

    /// <exception cref="FormatException">Not what <see cref="ToString"/> gave.</exception>
    public static StoreDigest Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var sum = Convert.FromHexString(text.AsSpan(colon + 1));
        return colon > 0 && sum.Length == Size
            ? new(long.Parse(text.AsSpan(0, colon), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture), sum)
            : throw new FormatException("Not a digest.");
    }

    /// <summary>Every field with its length, so that no two rows have the same bytes.</summary>
    private static ReadOnlySpan<byte> Encode(StoreRow row)
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        switch (row)
        {
            case StoreRow.Journal(var change, var version):
                Number(bytes, 'J');
                Number(bytes, change.Sequence);
                Text(bytes, change.Key.Type);
                Text(bytes, change.Key.Id);
                Number(bytes, change.Version);
                Number(bytes, change.At.UtcTicks);
                Number(bytes, change.Deleted ? 1 : 0);
                Text(bytes, change.Partition);
                Text(bytes, change.Cause);
                if (version is not null)
                {
                    Record(bytes, version);
                }
                break;
            case StoreRow.Current(var record, var sequence):
                Number(bytes, 'R');
                Number(bytes, sequence);
                Record(bytes, record);
                Block(bytes, record.Index.Block.Span);
                break;
        }
        return bytes.WrittenSpan;
    }

    private static void Record(ArrayBufferWriter<byte> bytes, StoredRecord record)
    {
        Text(bytes, record.Key.Type);
        Text(bytes, record.Key.Id);
        Number(bytes, record.Version);
        Number(bytes, record.LastUpdated.UtcTicks);
        Number(bytes, record.Deleted ? 1 : 0);
        Text(bytes, record.Partition);
        Block(bytes, record.Body.Span);
    }

    private static void Text(ArrayBufferWriter<byte> bytes, string text) => Block(bytes, Encoding.UTF8.GetBytes(text));

    private static void Block(ArrayBufferWriter<byte> bytes, ReadOnlySpan<byte> block)
    {
        Number(bytes, block.Length);
        bytes.Write(block);
    }

    private static void Number(ArrayBufferWriter<byte> bytes, long number)
    {
        BinaryPrimitives.WriteInt64BigEndian(bytes.GetSpan(8), number);
        bytes.Advance(8);
    }
}
