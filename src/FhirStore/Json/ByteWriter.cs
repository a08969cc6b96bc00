using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace FhirStore.Json;

/// <summary>Appends UTF-8 to a rented buffer that grows.</summary>
internal ref struct ByteWriter(int capacity)
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(capacity);
    private int _length;

    public readonly byte[] ToArray() => _buffer.AsSpan(0, _length).ToArray();

    /// <summary>Gives the buffer back, emptied: it held a patient's data.</summary>
    public void Free()
    {
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _buffer = [];
    }

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _length += bytes.Length;
    }

    public void WriteByte(byte value)
    {
        Room(1)[0] = value;
        _length++;
    }

    public void WriteAscii(string text) => _length += Encoding.ASCII.GetBytes(text, Room(text.Length));

    public void WriteNumber(long value)
    {
        Utf8Formatter.TryFormat(value, Room(20), out var written);
        _length += written;
    }

    public void WriteInstant(DateTimeOffset value)
    {
        value.UtcDateTime.TryFormat(Room(24), out var written, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        _length += written;
    }

    private Span<byte> Room(int count)
    {
        if (_buffer.Length - _length < count)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + count));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
            _buffer = larger;
        }
        return _buffer.AsSpan(_length);
    }
}
