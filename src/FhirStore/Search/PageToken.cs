using System.Collections.Immutable;
using FhirCore.Records;

namespace FhirStore.Search;

/// <summary>
/// What a next link carries, sealed: the search as it came, and where its last page ended. The next page begins after that
/// place in the order, so it is right whatever was written meanwhile.
/// </summary>
/// <param name="Caller">Name of who it was given to; empty for who is not limited.</param>
/// <param name="Total">Counted for the first page; null where it was not.</param>
/// <param name="After">Of a search in the order of an index.</param>
/// <param name="AfterValues">Of a search sorted in memory: the last match's sort values.</param>
/// <param name="AfterId">Id of the last match.</param>
internal sealed record PageToken(
    string Type, string Caller, ImmutableArray<KeyValuePair<string, string>> Parameters, bool Strict, long? Total, RecordCursor? After, ImmutableArray<SortValue> AfterValues, string AfterId)
{
    private const byte Format = 2;

    public byte[] Write()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Format);
        writer.Write(Type);
        writer.Write(Caller);
        writer.Write(Strict);
        writer.Write(Total ?? -1);
        writer.Write7BitEncodedInt(Parameters.Length);
        foreach (var (name, value) in Parameters)
        {
            writer.Write(name);
            writer.Write(value);
        }
        writer.Write(AfterId);
        writer.Write(After is not null);
        if (After is not null)
        {
            writer.Write7BitEncodedInt(After.Value.Length);
            writer.Write(After.Value.Span);
        }
        writer.Write7BitEncodedInt(AfterValues.Length);
        foreach (var value in AfterValues)
        {
            writer.Write(value.Number is not null);
            writer.Write(value.Text is not null);
            if (value.Number is { } number)
            {
                writer.Write(number);
            }
            if (value.Text is { } text)
            {
                writer.Write(text);
            }
        }
        writer.Flush();
        return bytes.ToArray();
    }

    /// <param name="bytes">As <see cref="Write"/> made them: they were authenticated.</param>
    /// <returns>Null where another version of the server made them.</returns>
    public static PageToken? Read(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        if (reader.ReadByte() != Format)
        {
            return null;
        }
        var type = reader.ReadString();
        var caller = reader.ReadString();
        var strict = reader.ReadBoolean();
        var total = reader.ReadInt64();
        var parameters = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
        {
            parameters.Add(new(reader.ReadString(), reader.ReadString()));
        }
        var id = reader.ReadString();
        var after = reader.ReadBoolean() ? new RecordCursor(reader.ReadBytes(reader.Read7BitEncodedInt()), id) : null;
        var values = ImmutableArray.CreateBuilder<SortValue>();
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
        {
            var (hasNumber, hasText) = (reader.ReadBoolean(), reader.ReadBoolean());
            values.Add(new(hasNumber ? reader.ReadDecimal() : null, hasText ? reader.ReadString() : null));
        }
        return new(type, caller, parameters.DrainToImmutable(), strict, total < 0 ? null : total, after, values.DrainToImmutable(), id);
    }
}
