using System.Collections.Immutable;
using FhirCore;
using FhirStore.Search;

namespace FhirStore.Writing;

/// <summary>The one resource that criteria single out, https://hl7.org/fhir/R4/http.html#cond-update, so that a plan may rest on it. What its caller cannot find does not count.</summary>
internal sealed class CriteriaMatcher(SearchService search)
{
    /// <summary>Afterwards the commit fails where another resource has come to match, or the one found has changed.</summary>
    /// <returns>Null where nothing matches; refused where several do.</returns>
    public async ValueTask<Outcome<StoredResource?>> FindAsync(
        string type, ImmutableArray<KeyValuePair<string, string>> criteria, WritePlan plan, CancellationToken ct)
    {
        while (true)
        {
            if (!(await search.MatchAsync(type, criteria, plan.Caller, ct)).TryGet(out var match, out var failure))
            {
                return failure;
            }
            if (match.Matches.Length > 1)
            {
                return FhirFailure.Of(FailureKind.Stale, $"The criteria match more than one {type}; give criteria that single one out.", code: "multiple-matches");
            }
            if (match.Matches is [var found] && await plan.ReadAsync(found.Key, ct) is var current && (current?.Version ?? 0) > found.Version)
            {
                continue; // changed since the search looked at it: it may no longer match
            }
            plan.Require(match.NoOther);
            return match.Matches.IsEmpty ? (StoredResource?)null : match.Matches[0];
        }
    }
}
