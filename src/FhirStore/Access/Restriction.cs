using System.Text.Json;
using FhirCore;
using FhirStore.Search;

namespace FhirStore.Access;

/// <summary>
/// The resources of one type that a caller reaches: a search condition like any other, so that a search finds, counts and pages by it
/// through the index, and a read checks it on the resource itself. Made once for a caller and a type.
/// </summary>
public sealed class Restriction
{
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 1_000 };

    private Restriction(SearchClause? clause) => Clause = clause;

    public static Restriction Everything { get; } = new(null);

    public static Restriction Nothing { get; } = new(new AnyOfClause([]));

    public bool IsEverything => Clause is null;

    public bool IsNothing => ReferenceEquals(this, Nothing);

    /// <summary>Null for everything.</summary>
    internal SearchClause? Clause { get; }

    internal static Restriction To(SearchClause clause) => new(clause);

    /// <param name="resource">Its own id is not looked at: <paramref name="key"/> is.</param>
    public bool Admits(ResourceKey key, JsonElement resource) => Clause is null || Clause.Matches(key, resource);

    /// <param name="resource">Not a deletion: of those the last content before it counts.</param>
    public bool Admits(StoredResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        if (Clause is null || IsNothing)
        {
            return Clause is null;
        }
        using var document = JsonDocument.Parse(resource.Json, Depth);
        return Clause.Matches(resource.Key, document.RootElement);
    }
}
