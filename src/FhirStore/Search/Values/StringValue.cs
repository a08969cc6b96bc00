using System.Text.Json;
using FhirStore.Indexing;

namespace FhirStore.Search.Values;

internal enum StringMode
{
    /// <summary>Begins with, folded.</summary>
    Starts,
    /// <summary>Equal in every character.</summary>
    Exact,
    /// <summary>Contains, folded.</summary>
    Contains,
}

/// <summary>https://hl7.org/fhir/R4/search.html#string.</summary>
internal sealed class StringValue(string text, StringMode mode) : SearchValue
{
    private readonly string _folded = TextFolding.Fold(text);

    public override bool Matches(JsonElement element, ElementShape shape)
    {
        var visitor = new Visitor(this);
        return TextParts.Visit(element, shape, ref visitor);
    }

    public override Cover Cover(ParameterIndex index) =>
        mode != StringMode.Contains && index is StringIndex strings ? strings.FindPrefix(_folded) : Indexing.Cover.Unknown;

    private bool IsMatch(string candidate) => mode switch
    {
        StringMode.Exact => string.Equals(candidate, text, StringComparison.Ordinal),
        StringMode.Contains => TextFolding.Fold(candidate).Contains(_folded, StringComparison.Ordinal),
        _ => TextFolding.Fold(candidate).StartsWith(_folded, StringComparison.Ordinal),
    };

    private readonly struct Visitor(StringValue value) : IStringVisitor
    {
        public bool Visit(string text) => value.IsMatch(text);
    }
}
