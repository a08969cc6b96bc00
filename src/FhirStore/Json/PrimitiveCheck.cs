using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FhirStore.Model;

namespace FhirStore.Json;

/// <summary>A primitive's JSON kind, format, code and, of a Reference, its literal.</summary>
internal sealed class PrimitiveCheck(IssueLog log, ReferenceCheck references)
{
    private const int MostCodesShown = 20;

    /// <param name="holder">The type that has the element.</param>
    /// <param name="owner">The element that holds the object of that type.</param>
    public void Check(JsonElement value, ElementModel element, TypeModel type, TypeModel holder, ElementModel? owner)
    {
        var (fits, wanted) = type.Primitive switch
        {
            PrimitiveKind.Boolean => (value.ValueKind is JsonValueKind.True or JsonValueKind.False, "true or false without quotes"),
            PrimitiveKind.Integer or PrimitiveKind.UnsignedInt or PrimitiveKind.PositiveInt or PrimitiveKind.Decimal =>
                (value.ValueKind == JsonValueKind.Number, "a number without quotes"),
            _ => (value.ValueKind == JsonValueKind.String, "a string"),
        };
        if (!fits)
        {
            log.Add("structure", $"{element.JsonName} is of type {type.Name}, so {wanted}; found {StructureCheck.KindOf(value)}.");
            return;
        }
        var raw = JsonMarshal.GetRawUtf8Value(value);
        if (value.ValueKind != JsonValueKind.String)
        {
            Text(raw, element, type, holder, owner);
            return;
        }
        raw = raw[1..^1];
        if (raw.Contains((byte)'\\'))
        {
            Escaped(raw, element, type, holder, owner);
        }
        else
        {
            Text(raw, element, type, holder, owner);
        }
    }

    private void Escaped(ReadOnlySpan<byte> raw, ElementModel element, TypeModel type, TypeModel holder, ElementModel? owner)
    {
        var rented = ArrayPool<byte>.Shared.Rent(raw.Length);
        try
        {
            if (JsonText.TryUnescape(raw, rented, out var written))
            {
                Text(rented.AsSpan(0, written), element, type, holder, owner);
            }
            else
            {
                log.Add("value", "The string holds half of a surrogate pair, so it is no Unicode text.");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    private void Text(ReadOnlySpan<byte> text, ElementModel element, TypeModel type, TypeModel holder, ElementModel? owner)
    {
        if (PrimitiveFormats.Wrong(type.Primitive, text) is { } allowed)
        {
            log.Add("value", $"{Article(type.Name)} {type.Name} {allowed}.");
        }
        else if (element.Codes is { } codes)
        {
            if (!codes.Contains(text))
            {
                WrongCode(text, codes);
            }
        }
        else if (holder.Rule == InvariantRule.Reference && element.JsonName == "reference")
        {
            references.Check(text, owner);
        }
    }

    private void WrongCode(ReadOnlySpan<byte> text, CodeSet codes)
    {
        var found = Encoding.UTF8.GetString(text);
        var shown = found.Length <= 40 && found.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') ? $" {found}" : "";
        var some = string.Join(", ", codes.All.Take(MostCodesShown));
        log.Add("code-invalid", $"The code{shown} is not in the required value set, which has {some}{(codes.All.Count > MostCodesShown ? ", …" : "")}.");
    }

    private static string Article(string name) => name[0] is 'a' or 'e' or 'i' or 'o' ? "An" : "A";
}
