using System.Buffers.Binary;
using FhirCore;

namespace FhirStore.Encryption;

/// <summary>Names the data key of one subject without naming the subject: a keyed hash, because patient ids may be chosen by clients.</summary>
internal readonly record struct DataKeyId(UInt128 Value)
{
    public const int Size = 16;

    public ResourceKey RecordKey => new(KeyRecords.DataKeyType, Value.ToString("x32", null));

    public static DataKeyId Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);
}
