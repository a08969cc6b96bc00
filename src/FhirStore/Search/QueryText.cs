using System.Collections.Immutable;
using System.Text;

namespace FhirStore.Search;

/// <summary>The text behind the question mark: names and values, percent-decoded once.</summary>
public static class QueryText
{
    /// <param name="query">Without the leading question mark. A part without <c>=</c> has an empty value; empty parts are passed over.</param>
    public static ImmutableArray<KeyValuePair<string, string>> Parse(ReadOnlySpan<char> query)
    {
        var pairs = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (var range in query.Split('&'))
        {
            var part = query[range];
            if (part.IsEmpty)
            {
                continue;
            }
            var equals = part.IndexOf('=');
            pairs.Add(equals < 0 ? new(Decode(part), "") : new(Decode(part[..equals]), Decode(part[(equals + 1)..])));
        }
        return pairs.DrainToImmutable();
    }

    /// <summary>A value that is meant letter by letter, https://hl7.org/fhir/R4/search.html#escaping.</summary>
    public static string Escape(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("$", "\\$", StringComparison.Ordinal)
            .Replace(",", "\\,", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal);
    }

    private static string Decode(ReadOnlySpan<char> text) =>
        text.IndexOfAny('%', '+') < 0 ? text.ToString() : Uri.UnescapeDataString(text.ToString().Replace('+', ' '));
}
