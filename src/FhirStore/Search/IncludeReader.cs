using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Access;
using FhirStore.Caching;
using FhirStore.Search.Values;

namespace FhirStore.Search;

/// <summary><c>_include</c> and <c>_revinclude</c> of one page, https://hl7.org/fhir/R4/search.html#include. None is a match, none comes twice, each is within the caller's reach.</summary>
internal sealed class IncludeReader(IRecordStore store, RecordOpener opener, Planner planner, MatchScan scan, SearchOptions options)
{
    private const int MostRounds = 10;
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 1_000 };

    /// <param name="WasCut">There were more than a page may hold.</param>
    public readonly record struct Result(ImmutableArray<StoredResource> Resources, bool WasCut);

    public async ValueTask<Result> ReadAsync(ImmutableArray<IncludeSpec> specs, IReadOnlyList<StoredResource> matches, ICaller? caller, WorkBudget budget, CancellationToken ct)
    {
        var found = new Dictionary<ResourceKey, StoredResource>();
        var seen = matches.Select(m => m.Key).ToHashSet();
        var fresh = matches;
        var cut = false;
        for (var round = 0; round < MostRounds && fresh.Count > 0 && !cut; round++)
        {
            var added = new List<StoredResource>();
            foreach (var spec in specs)
            {
                if (round > 0 && !spec.Iterate)
                {
                    continue;
                }
                cut |= spec.Reverse ? !await ReferringAsync(spec, fresh, caller, Add, budget, ct) : !await ReferredAsync(spec, fresh, seen, Add, ct);
            }
            fresh = added;

            bool Add(StoredResource resource)
            {
                // What the caller may not read is not there: it takes no room, and nothing is followed from it.
                if (!seen.Add(resource.Key) || caller?.Reach(Use.Read, resource.Key.Type).Admits(resource) == false)
                {
                    return true;
                }
                if (found.Count >= options.MaxIncluded)
                {
                    return false;
                }
                found.Add(resource.Key, resource);
                added.Add(resource);
                return true;
            }
        }
        return new([.. found.Values], cut);
    }

    /// <returns>False when there is no more room.</returns>
    private async ValueTask<bool> ReferredAsync(IncludeSpec spec, IReadOnlyList<StoredResource> from, HashSet<ResourceKey> seen, Func<StoredResource, bool> add, CancellationToken ct)
    {
        var wanted = new List<ResourceKey>();
        foreach (var source in from)
        {
            if (source.Key.Type != spec.SourceType)
            {
                continue;
            }
            using var document = JsonDocument.Parse(source.Json, Depth);
            var visitor = new ResourceReferences.KeyVisitor(spec.TargetType, options.BaseUrl, wanted);
            foreach (var parameter in spec.Parameters)
            {
                parameter.Visit(document.RootElement, ref visitor);
            }
        }
        foreach (var key in wanted)
        {
            if (seen.Contains(key) || await store.GetAsync(key, ct) is not { Deleted: false } record)
            {
                continue;
            }
            if (!add(opener.Show(record, await opener.OpenAsync(record, ct))))
            {
                return false;
            }
        }
        return true;
    }

    private async ValueTask<bool> ReferringAsync(IncludeSpec spec, IReadOnlyList<StoredResource> to, ICaller? caller, Func<StoredResource, bool> add, WorkBudget budget, CancellationToken ct)
    {
        var targets = to.Where(r => spec.TargetType is null || r.Key.Type == spec.TargetType).Select(r => r.Key).ToHashSet();
        if (targets.Count == 0)
        {
            return true;
        }
        foreach (var parameter in spec.Parameters)
        {
            var clause = new ValueClause(parameter, [new ReferenceSetValue(targets, options.BaseUrl)]);
            var end = await scan.RunAsync(planner.Plan(spec.SourceType, [clause], [], caller), null, 100, MatchNeed.Json, budget,
                m => add(opener.Show(m.Record, m.Json)), ct);
            if (end != ScanEnd.Finished)
            {
                return false;
            }
        }
        return true;
    }
}
