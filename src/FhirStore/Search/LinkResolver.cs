using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Access;
using FhirStore.Indexing;
using FhirStore.Search.Values;

namespace FhirStore.Search;

/// <summary>
/// Answers chains and <c>_has</c> by searching the other resources first, those within the caller's reach: what remains is a plain clause.
/// </summary>
internal sealed class LinkResolver(Planner planner, MatchScan scan, SearchOptions options)
{
    private const int Batch = 200;

    public async ValueTask<Outcome<List<SearchClause>>> ResolveAsync(string type, ImmutableArray<Criterion> criteria, ICaller? caller, WorkBudget budget, CancellationToken ct)
    {
        var clauses = new List<SearchClause>(criteria.Length);
        foreach (var criterion in criteria)
        {
            if (criterion is Criterion.Plain plain)
            {
                clauses.Add(plain.Clause);
            }
            else if ((await ResolveAsync(type, criterion, caller, budget, ct)).TryGet(out var clause, out var failure))
            {
                clauses.Add(clause);
            }
            else
            {
                return failure;
            }
        }
        return clauses;
    }

    private async ValueTask<Outcome<SearchClause>> ResolveAsync(string type, Criterion criterion, ICaller? caller, WorkBudget budget, CancellationToken ct) => criterion switch
    {
        Criterion.Plain plain => plain.Clause,
        Criterion.Chain chain => await ChainAsync(chain, caller, budget, ct),
        Criterion.Has has => await HasAsync(type, has, caller, budget, ct),
        _ => throw new ArgumentOutOfRangeException(nameof(criterion), criterion, "Add the new criterion here."),
    };

    private async ValueTask<Outcome<SearchClause>> ChainAsync(Criterion.Chain chain, ICaller? caller, WorkBudget budget, CancellationToken ct)
    {
        var keys = new HashSet<ResourceKey>();
        foreach (var (target, inner) in chain.Targets)
        {
            if (!(await ResolveAsync(target, inner, caller, budget, ct)).TryGet(out var clause, out var failure))
            {
                return failure;
            }
            var end = await scan.RunAsync(planner.Plan(target, [clause], [], caller), null, Batch, MatchNeed.Record, budget, m => keys.Add(m.Record.Key) && keys.Count <= options.MaxIntermediate, ct);
            if (end != ScanEnd.Finished)
            {
                return TooCostly(chain.Name);
            }
        }
        return new ValueClause(chain.Reference, [new ReferenceSetValue(keys, options.BaseUrl)]);
    }

    private async ValueTask<Outcome<SearchClause>> HasAsync(string type, Criterion.Has has, ICaller? caller, WorkBudget budget, CancellationToken ct)
    {
        if (!(await ResolveAsync(has.SourceType, has.Inner, caller, budget, ct)).TryGet(out var clause, out var failure))
        {
            return failure;
        }
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var matches = 0;
        var end = await scan.RunAsync(planner.Plan(has.SourceType, [clause], [], caller), null, Batch, MatchNeed.Parsed, budget, m =>
        {
            var visitor = new TargetVisitor(type, options.BaseUrl, ids);
            has.Reference.Visit(m.Resource, ref visitor);
            return ++matches <= options.MaxIntermediate;
        }, ct);
        return end == ScanEnd.Finished ? new IdClause(ids.ToImmutableSortedSet(StringComparer.Ordinal)) : TooCostly(has.Name);
    }

    private FhirFailure TooCostly(string name) =>
        SearchFailures.TooCostly($"The search behind '{name}' finds more than {options.MaxIntermediate} resources or looks at too many. Narrow it with a more selective parameter, such as identifier or patient.");

    private readonly struct TargetVisitor(string type, string? baseUrl, HashSet<string> ids) : IElementVisitor
    {
        public bool Visit(JsonElement element, ElementShape shape)
        {
            if (ReferenceText.TryLocal(ReferenceText.Of(element, shape), baseUrl, out var key) && key.Type == type)
            {
                ids.Add(key.Id);
            }
            return false;
        }
    }
}
