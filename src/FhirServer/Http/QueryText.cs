using System.Collections.Immutable;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace FhirServer.Http;

/// <summary>Query strings and form bodies as decoded names and values, in the order they came.</summary>
internal static class QueryText
{
    /// <summary>More than this many parameters are refused: no search needs them, and each costs.</summary>
    public const int MostParameters = 500;

    /// <returns>Default when there are more than <see cref="MostParameters"/>.</returns>
    public static ImmutableArray<KeyValuePair<string, string>> Parse(ReadOnlyMemory<char> query)
    {
        if (query.Length <= 1 && (query.IsEmpty || query.Span[0] == '?'))
        {
            return [];
        }
        var pairs = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>(4);
        foreach (var pair in new QueryStringEnumerable(query))
        {
            if (pairs.Count == MostParameters)
            {
                return default;
            }
            var name = pair.DecodeName().ToString();
            if (name.Length > 0)
            {
                pairs.Add(new(name, pair.DecodeValue().ToString()));
            }
        }
        return pairs.DrainToImmutable();
    }

    public static string Format(ImmutableArray<KeyValuePair<string, string>> pairs)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in pairs)
        {
            text.Append(text.Length == 0 ? '?' : '&').Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
        }
        return text.ToString();
    }

    /// <returns>The first value of the name; null where it is absent.</returns>
    public static string? First(this ImmutableArray<KeyValuePair<string, string>> pairs, string name)
    {
        foreach (var pair in pairs)
        {
            if (pair.Key == name)
            {
                return pair.Value;
            }
        }
        return null;
    }
}
