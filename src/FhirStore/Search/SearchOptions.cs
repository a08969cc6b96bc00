namespace FhirStore.Search;

/// <summary>Bounds on the work of one search, and the server's own address.</summary>
public sealed class SearchOptions
{
    private readonly string? _baseUrl;

    /// <summary>
    /// Public FHIR base. References below it are taken as relative, in resources and in searches; index entries written under
    /// another base keep that one until the resource is written again.
    /// </summary>
    public string? BaseUrl
    {
        get => _baseUrl;
        init => _baseUrl = string.IsNullOrEmpty(value) || value.EndsWith('/') ? value : value + "/";
    }

    /// <summary>Matches on a page where the search does not say.</summary>
    public int DefaultCount { get; init; } = 50;

    /// <summary>A larger <c>_count</c> is cut to this.</summary>
    public int MaxCount { get; init; } = 1_000;

    /// <summary>Records that one request may look at; a search that needs more is refused as too costly.</summary>
    public int CandidateBudget { get; init; } = 50_000;

    /// <summary>Matches of the inner search of a chain or <c>_has</c>, and matches sorted in memory.</summary>
    public int MaxIntermediate { get; init; } = 10_000;

    /// <summary>Included resources on a page.</summary>
    public int MaxIncluded { get; init; } = 1_000;

    /// <summary>Candidates that the criteria of a conditional interaction may have.</summary>
    public int MaxCriteriaCandidates { get; init; } = 1_000;
}
