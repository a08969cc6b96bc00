using System.Collections.Immutable;
using FhirCore;
using FhirStore.Access;

namespace FhirStore.Search;

/// <summary>A search on one type, https://hl7.org/fhir/R4/search.html.</summary>
/// <param name="Parameters">Decoded name and value in the order they came, result parameters (_count, _sort, _include…) among them.</param>
/// <param name="Strict">True (Prefer: handling=strict) refuses unknown parameters; else they are reported and ignored.</param>
/// <param name="Page">Opaque text of a next link; then it carries the whole search and <paramref name="Parameters"/> are not looked at.</param>
/// <param name="Caller">Who asks: only what is within their reach is found, counted, chained through and included. Null is not limited.</param>
public sealed record SearchRequest(
    string Type, ImmutableArray<KeyValuePair<string, string>> Parameters, bool Strict = false, string? Page = null, ICaller? Caller = null);

/// <param name="Total">Null where it was not asked for and would cost a count.</param>
/// <param name="Next">Opaque text for the next page (parameter <c>_page</c>); null on the last.</param>
/// <param name="Notes">Unknown parameters and the like, for an outcome entry.</param>
/// <param name="CountOnly">_summary=count: only <paramref name="Total"/> is set.</param>
public sealed record SearchPage(
    ImmutableArray<StoredResource> Matches, ImmutableArray<StoredResource> Included, long? Total, string? Next, ImmutableArray<Issue> Notes, bool CountOnly = false);
