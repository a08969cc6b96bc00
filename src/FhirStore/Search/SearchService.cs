using System.Collections.Immutable;
using FhirCore;
using FhirCore.Records;

namespace FhirStore.Search;

/// <summary>Query string → typed parameters → predicate over index entries → candidates → checked matches.</summary>
public sealed class SearchService
{
    public Task<Outcome<SearchPage>> SearchAsync(SearchRequest request, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>
    /// The matches of a conditional interaction's criteria, at most two, and the condition that makes a decision on them race-free:
    /// the commit fails if a record that is not among those looked at matches the criteria's index entries.
    /// </summary>
    public Task<Outcome<CriteriaMatch>> MatchAsync(string type, ImmutableArray<KeyValuePair<string, string>> criteria, CancellationToken ct) =>
        throw new NotImplementedException();
}

/// <param name="Matches">None, one, or two (standing for several).</param>
/// <param name="NoOther">Holds while no further record matches; excepts the candidates that were looked at and the matches.</param>
public sealed record CriteriaMatch(ImmutableArray<StoredResource> Matches, RecordCondition.NoneMatch NoOther);
