using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Auditing.Blocks;

/// <summary>Numbers and texts of a block, one after another; <see cref="ByteReader"/> takes them in the same order.</summary>
internal sealed class ByteWriter(int capacity = 1024)
{
    private readonly ArrayBufferWriter<byte> _bytes = new(capacity);

    public int Length => _bytes.WrittenCount;

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    public void Clear() => _bytes.ResetWrittenCount();

    public void Byte(byte value)
    {
        _bytes.GetSpan(1)[0] = value;
        _bytes.Advance(1);
    }

    public void Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(_bytes.GetSpan(8), value);
        _bytes.Advance(8);
    }

    /// <summary>Seven bits a byte, lowest first.</summary>
    public void Number(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        var span = _bytes.GetSpan(10);
        var at = 0;
        while (value >= 0x80)
        {
            span[at++] = (byte)(value | 0x80);
            value >>= 7;
        }
        span[at++] = (byte)value;
        _bytes.Advance(at);
    }

    public void Raw(ReadOnlySpan<byte> value) => _bytes.Write(value);

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Number(value.Length);
        Raw(value);
    }

    /// <summary>Null is told from empty.</summary>
    public void Text(string? value)
    {
        if (value is null)
        {
            Number(0);
            return;
        }
        Number(Encoding.UTF8.GetByteCount(value) + 1);
        _bytes.Advance(Encoding.UTF8.GetBytes(value, _bytes.GetSpan(Encoding.UTF8.GetMaxByteCount(value.Length))));
    }
}

/// <summary>Whatever it is given, it reads in bounds or throws <see cref="FormatException"/>.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public readonly int Left => _rest.Length;

    public byte Byte() => Raw(1)[0];

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Raw(8));

    public long Number()
    {
        var value = 0L;
        for (var shift = 0; shift < 63; shift += 7)
        {
            var part = Byte();
            value |= (long)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
        throw new FormatException("A number is too long.");
    }

    /// <summary>A number of things that follow, each of at least one byte.</summary>
    public int Count()
    {
        var count = Number();
        return count <= _rest.Length ? (int)count : throw new FormatException("A count is beyond the end.");
    }

    public ReadOnlySpan<byte> Bytes() => Raw(Count());

    public string? Text()
    {
        var length = Number();
        return length == 0 ? null
            : length - 1 <= _rest.Length ? Encoding.UTF8.GetString(Raw((int)(length - 1)))
            : throw new FormatException("A text is beyond the end.");
    }

    public ReadOnlySpan<byte> Raw(int length)
    {
        if (length > _rest.Length)
        {
            throw new FormatException("It ends too early.");
        }
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
