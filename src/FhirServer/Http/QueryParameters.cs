using System.Collections.Immutable;
using System.Text;
using FhirCore;
using FhirStore.Search;

namespace FhirServer.Http;

/// <summary>Query strings and form bodies as decoded names and values, in the order they came.</summary>
internal static class QueryParameters
{
    /// <summary>More than this are refused: no search needs them, and each costs.</summary>
    private const int Most = 500;

    /// <param name="text">With or without a question mark before it.</param>
    public static Outcome<ImmutableArray<KeyValuePair<string, string>>> Parse(ReadOnlySpan<char> text)
    {
        if (text is ['?', .. var rest])
        {
            text = rest;
        }
        if (text.IsEmpty)
        {
            return ImmutableArray<KeyValuePair<string, string>>.Empty;
        }
        return text.Count('&') < Most
            ? QueryText.Parse(text)
            : FhirFailure.Of(FailureKind.Invalid, $"A request may have {Most} parameters.", code: "too-costly");
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
