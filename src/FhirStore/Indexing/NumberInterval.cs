using System.Globalization;
using System.Text.Json;

namespace FhirStore.Indexing;

/// <summary>A number, or the numbers a Range covers; both ends are included.</summary>
internal readonly record struct NumberInterval(decimal Low, decimal High)
{
    public static NumberInterval? Of(JsonElement element, ElementShape shape)
    {
        switch (shape)
        {
            case ElementShape.Number:
                return Decimal(element) is { } number ? new(number, number) : null;
            case ElementShape.Quantity or ElementShape.Money:
                return Part(element, "value"u8) is { } value ? new(value, value) : null;
            case ElementShape.Range when element.ValueKind == JsonValueKind.Object:
                var low = element.TryGetProperty("low"u8, out var from) ? Part(from, "value"u8) : null;
                var high = element.TryGetProperty("high"u8, out var to) ? Part(to, "value"u8) : null;
                return low is null && high is null ? null : new(low ?? decimal.MinValue, high ?? decimal.MaxValue);
            default:
                return null;
        }
    }

    private static decimal? Part(JsonElement element, ReadOnlySpan<byte> name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var part) ? Decimal(part) : null;

    // Numbers beyond decimal's range count as its ends.
    private static decimal? Decimal(JsonElement element) =>
        element.ValueKind != JsonValueKind.Number ? null
        : element.TryGetDecimal(out var value) ? value
        : element.TryGetDouble(out var wide) ? wide < 0 ? decimal.MinValue : decimal.MaxValue
        : null;

    /// <summary>Reads a search number and the half of its last place, by which it may be missed (https://hl7.org/fhir/R4/search.html#number).</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out decimal number, out decimal half)
    {
        half = 0;
        if (!decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out number))
        {
            return false;
        }
        var e = text.IndexOfAny('e', 'E');
        var mantissa = e < 0 ? text : text[..e];
        var exponent = 0;
        if (e >= 0 && !int.TryParse(text[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent))
        {
            return false;
        }
        var point = mantissa.IndexOf('.');
        var places = (point < 0 ? 0 : mantissa.Length - point - 1) - exponent;
        half = 0.5m;
        for (; places > 0 && half > 0; places--)
        {
            half /= 10;
        }
        for (; places < 0 && half < 1e27m; places++)
        {
            half *= 10;
        }
        return true;
    }
}
