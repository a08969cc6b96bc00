using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Storage.RocksDb.Native;

namespace Storage.RocksDb.Rows;

/// <summary>
/// A write batch in the engine's own serialized form (sequence 8, count 4, little-endian; then tag, family, key, value),
/// so that a commit of forty rows crosses into the engine once.
/// </summary>
internal sealed class RowBatch
{
    private const int Head = 12;
    private const byte PutInDefault = 0x1;
    private const byte DeleteInDefault = 0x0;
    private const byte PutInFamily = 0x5;
    private const byte DeleteInFamily = 0x4;
    private const int LargestKept = 8 << 20;

    private byte[] _bytes = new byte[256 * 1024];
    private int _length = Head;
    private uint _count;

    public int Length => _length;

    public bool IsEmpty => _count == 0;

    public ReadOnlySpan<byte> Bytes
    {
        get
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(8), _count);
            return _bytes.AsSpan(0, _length);
        }
    }

    public void Clear()
    {
        if (_bytes.Length > LargestKept)
        {
            _bytes = new byte[256 * 1024];
        }
        _bytes.AsSpan(0, Head).Clear();
        _length = Head;
        _count = 0;
    }

    public (int Length, uint Count) Mark() => (_length, _count);

    /// <summary>Forgets what was added since the mark.</summary>
    public void Return((int Length, uint Count) mark) => (_length, _count) = mark;

    public void Put(uint family, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        value.CopyTo(Put(family, key, value.Length));
    }

    /// <returns>Room for the value, to be filled before the next call.</returns>
    public Span<byte> Put(uint family, ReadOnlySpan<byte> key, int valueLength)
    {
        Reserve(key.Length + valueLength + 16);
        Tag(family, PutInDefault, PutInFamily);
        Varint((uint)key.Length);
        key.CopyTo(_bytes.AsSpan(_length));
        _length += key.Length;
        Varint((uint)valueLength);
        var value = _bytes.AsSpan(_length, valueLength);
        _length += valueLength;
        _count++;
        return value;
    }

    public void Delete(uint family, ReadOnlySpan<byte> key)
    {
        Reserve(key.Length + 16);
        Tag(family, DeleteInDefault, DeleteInFamily);
        Varint((uint)key.Length);
        key.CopyTo(_bytes.AsSpan(_length));
        _length += key.Length;
        _count++;
    }

    private void Tag(uint family, byte inDefault, byte inFamily)
    {
        if (family == (uint)Family.Types)
        {
            _bytes[_length++] = inDefault;
        }
        else
        {
            _bytes[_length++] = inFamily;
            Varint(family);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Varint(uint value)
    {
        while (value >= 0x80)
        {
            _bytes[_length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        _bytes[_length++] = (byte)value;
    }

    private void Reserve(int more)
    {
        if (_bytes.Length - _length < more)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + more));
        }
    }
}
