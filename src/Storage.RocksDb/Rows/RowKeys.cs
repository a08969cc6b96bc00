using System.Buffers.Binary;
using System.Text;
using FhirCore.Records;

namespace Storage.RocksDb.Rows;

/// <summary>
/// How rows are keyed. A type is its 2-byte number, an id its ASCII bytes, numbers are big-endian, so that rows order as the port asks.
/// <code>
/// records  type id
/// index    type field(4) value id       row: length of the value (1)
/// history  type id 0x00 version(8)
/// log      0x00 sequence(8)             row: the change
///          0x01 type sequence(8)        row: empty
/// </code>
/// </summary>
internal static class RowKeys
{
    public const int TypeLength = 2;
    public const int MaxId = 64;

    /// <summary>Type and field, before the value of an index row.</summary>
    public const int FieldPrefix = TypeLength + 4;

    /// <summary>Longest key there is: an index row's.</summary>
    public const int MaxLength = FieldPrefix + byte.MaxValue + MaxId;

    private const byte AllChanges = 0;
    private const byte ChangesOfType = 1;

    public static int Record(Span<byte> key, ushort type, string id)
    {
        BinaryPrimitives.WriteUInt16BigEndian(key, type);
        return TypeLength + Encoding.ASCII.GetBytes(id, key[TypeLength..]);
    }

    public static int Record(Span<byte> key, ushort type, ReadOnlySpan<byte> id)
    {
        BinaryPrimitives.WriteUInt16BigEndian(key, type);
        id.CopyTo(key[TypeLength..]);
        return TypeLength + id.Length;
    }

    /// <summary>Start of all keys of a type.</summary>
    public static int Type(Span<byte> key, ushort type)
    {
        BinaryPrimitives.WriteUInt16BigEndian(key, type);
        return TypeLength;
    }

    /// <summary>Start of the index rows of a field, or of one of its values.</summary>
    public static int Index(Span<byte> key, ushort type, IndexField field, ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(key, type);
        BinaryPrimitives.WriteUInt32BigEndian(key[TypeLength..], field.Number);
        value.CopyTo(key[FieldPrefix..]);
        return FieldPrefix + value.Length;
    }

    public static int Version(Span<byte> key, ushort type, string id, long version)
    {
        var length = VersionsOf(key, type, id);
        BinaryPrimitives.WriteInt64BigEndian(key[length..], version);
        return length + 8;
    }

    /// <summary>Start of all history rows of a record.</summary>
    public static int VersionsOf(Span<byte> key, ushort type, string id)
    {
        var length = Record(key, type, id);
        key[length] = 0; // no id holds a NUL, so no other id's rows lie between
        return length + 1;
    }

    public static int Change(Span<byte> key, long sequence)
    {
        key[0] = AllChanges;
        BinaryPrimitives.WriteInt64BigEndian(key[1..], sequence);
        return 9;
    }

    public static int ChangeOfType(Span<byte> key, ushort type, long sequence)
    {
        key[0] = ChangesOfType;
        BinaryPrimitives.WriteUInt16BigEndian(key[1..], type);
        BinaryPrimitives.WriteInt64BigEndian(key[3..], sequence);
        return 11;
    }

    /// <summary>Sequence at the end of a key of the log.</summary>
    public static long SequenceOf(ReadOnlySpan<byte> key) => BinaryPrimitives.ReadInt64BigEndian(key[^8..]);

    /// <summary>The first key after all keys that begin with the prefix; 0 where there is none.</summary>
    public static int After(ReadOnlySpan<byte> prefix, Span<byte> key)
    {
        var length = prefix.Length;
        while (length > 0 && prefix[length - 1] == byte.MaxValue)
        {
            length--;
        }
        prefix[..length].CopyTo(key);
        if (length > 0)
        {
            key[length - 1]++;
        }
        return length;
    }
}
