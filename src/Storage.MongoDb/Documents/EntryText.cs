using System.Buffers.Binary;
using FhirCore.Records;

namespace Storage.MongoDb.Documents;

/// <summary>
/// An index entry as the text it is found by: <c>Type/</c>, then field and value as <see cref="OrderedText"/>. With the type in front, one index
/// over the array alone serves every question about an entry.
/// </summary>
internal static class EntryText
{
    public static string Of(string type, IndexField field, ReadOnlySpan<byte> value)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(number, field.Number);
        return OrderedText.Of(type + "/", number, value);
    }

    /// <returns>What is above every entry of the field, and above nothing else that is below an entry of another.</returns>
    public static string EndOf(string type, IndexField field) =>
        field.Number == uint.MaxValue ? type + "0" : Of(type, new(field.Number + 1), []); // '0' follows '/'

    public static string Ordered(IndexField field) => $"{Names.Ordered}.{OrderedName(field)}";

    public static string OrderedName(IndexField field) => field.Number.ToString("X8", null);
}
