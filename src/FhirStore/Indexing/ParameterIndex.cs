using System.Text.Json;
using FhirCore.Records;

namespace FhirStore.Indexing;

/// <summary>The index entries of one parameter: how elements become entries, and which entries a search value may be found by.</summary>
internal abstract class ParameterIndex
{
    public abstract void Add(JsonElement element, ElementShape shape, IndexEntries.Builder entries);
}

/// <summary>An index that finds codes.</summary>
internal interface ICodeIndex
{
    /// <param name="system">Null: any; empty: none.</param>
    /// <param name="code">Null: any.</param>
    Cover Find(string? system, string? code);
}

/// <summary>An index that finds dates. Every range is in microseconds, first included, last excluded.</summary>
internal interface IDateIndex
{
    /// <summary>Elements for which <paramref name="comparison"/> with the search value's interval holds.</summary>
    Cover Find(Comparison comparison, DateInterval value);
}
