using System.Collections.Immutable;
using FhirCore;
using FhirCore.Records;
using FhirStore.Access;
using FhirStore.Caching;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Slots;

namespace FhirStore.Search;

/// <summary>Query string → typed parameters → predicate over index entries → candidates → checked matches.</summary>
public sealed class SearchService
{
    private const string PagePurpose = "search-page";

    private readonly SearchOptions _options;
    private readonly DataProtector _protector;
    private readonly QueryParser _parser;
    private readonly Planner _planner;
    private readonly MatchScan _scan;
    private readonly LinkResolver _links;
    private readonly IncludeReader _includes;
    private readonly PageReader _pages;

    /// <param name="freeSlots">Null where every search asks the store.</param>
    /// <param name="recent">Null decrypts every time.</param>
    public SearchService(
        IRecordStore store, RecordCipher cipher, DataProtector protector, ResourceIndexer indexer, OperationalFields operational, SearchOptions options, TimeProvider clock,
        FreeSlots? freeSlots = null, RecentResources? recent = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _protector = protector;
        _parser = new(new(new(options.BaseUrl, clock)), options);
        _planner = new(indexer, new(operational));
        var opener = new RecordOpener(cipher, recent);
        _scan = new(store, opener);
        _links = new(_planner, _scan, options);
        _includes = new(store, opener, _planner, _scan, options);
        _pages = new(store, opener, _scan, freeSlots, options);
    }

    public async Task<Outcome<SearchPage>> SearchAsync(SearchRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        PageToken? token = null;
        if (request.Page is { } text && !OpenToken(request, text).TryGet(out token, out var refusal))
        {
            return refusal;
        }
        var (parameters, strict) = token is null ? (request.Parameters, request.Strict) : (token.Parameters, token.Strict);
        if (!_parser.Parse(request.Type, parameters, strict).TryGet(out var query, out var failure))
        {
            return failure;
        }
        var budget = new WorkBudget(_options.CandidateBudget);
        if (!(await _links.ResolveAsync(query.Type, query.Criteria, request.Caller, budget, ct)).TryGet(out var clauses, out failure))
        {
            return failure;
        }
        var plan = _planner.Plan(query.Type, clauses, query.Sort, request.Caller);
        if (query.CountOnly)
        {
            var counted = await _pages.CountAsync(plan, budget, ct);
            return counted.TryGet(out var total, out failure) ? new SearchPage([], [], total, null, query.Notes, CountOnly: true) : failure;
        }
        if (!(await _pages.ReadAsync(plan, query, token, budget, ct)).TryGet(out var page, out failure))
        {
            return failure;
        }
        var notes = token is null ? query.Notes : [];
        var included = ImmutableArray<StoredResource>.Empty;
        if (!query.Includes.IsEmpty)
        {
            var read = await _includes.ReadAsync(query.Includes, page.Matches, request.Caller, budget, ct);
            included = read.Resources;
            if (read.WasCut)
            {
                notes = notes.Add(Issue.Warning("incomplete", $"More than {_options.MaxIncluded} resources would be included on this page: the rest was left out. Ask for a smaller _count."));
            }
        }
        var next = page.End is null ? null : _protector.Seal(PagePurpose, (page.End with { Type = query.Type, Caller = NameOf(request.Caller), Parameters = parameters, Strict = strict }).Write());
        return new SearchPage(page.Matches, included, page.Total, next, notes);
    }

    /// <summary>
    /// The matches of a conditional interaction's criteria, at most two, and the condition that makes a decision on them race-free:
    /// the commit fails if a record that is not among those looked at matches the criteria's index entries.
    /// </summary>
    /// <param name="caller">What is out of their reach matches nothing. Null is not limited.</param>
    public async Task<Outcome<CriteriaMatch>> MatchAsync(string type, ImmutableArray<KeyValuePair<string, string>> criteria, ICaller? caller, CancellationToken ct)
    {
        if (!_parser.ParseCriteria(type, criteria).TryGet(out var query, out var failure))
        {
            return failure;
        }
        var budget = new WorkBudget(_options.CandidateBudget);
        if (!(await _links.ResolveAsync(type, query.Criteria, caller, budget, ct)).TryGet(out var clauses, out failure))
        {
            return failure;
        }
        var plan = _planner.Plan(type, clauses, [], caller) with { Order = RecordOrder.ById };
        var matches = ImmutableArray.CreateBuilder<StoredResource>(2);
        var looked = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        var end = await _scan.RunAsync(plan, null, 4, MatchNeed.Json, new(_options.MaxCriteriaCandidates), match =>
        {
            matches.Add(new(match.Record.Key, match.Record.Version, match.Record.LastUpdated, false, match.Json));
            return matches.Count < 2;
        }, ct, id => looked.Add(id));
        return end == ScanEnd.OverBudget
            ? SearchFailures.TooCostly($"The criteria fit more than {_options.MaxCriteriaCandidates} {type} resources to look at. Add a more selective one, such as identifier.")
            : new CriteriaMatch(matches.ToImmutable(), new(type, plan.Where, looked.ToImmutable()));
    }

    /// <summary>
    /// A search as a value, within its caller's reach, for resources that are not records of their own. Sorting and includes are not part of it: what of them was
    /// asked for, it tells.
    /// </summary>
    public async Task<Outcome<ResourceFilter>> FilterAsync(SearchRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!_parser.Parse(request.Type, request.Parameters, request.Strict).TryGet(out var query, out var failure)
            || !(await _links.ResolveAsync(query.Type, query.Criteria, request.Caller, new(_options.CandidateBudget), ct)).TryGet(out var clauses, out failure))
        {
            return failure;
        }
        if (request.Caller?.Reach(Use.Search, query.Type).Clause is { } reach)
        {
            clauses.Add(reach);
        }
        return new ResourceFilter(query, clauses);
    }

    private static string NameOf(ICaller? caller) => caller?.Name ?? "";

    // The total in it was counted for one caller and tells another something.
    private Outcome<PageToken> OpenToken(SearchRequest request, string text) =>
        _protector.TryOpen(PagePurpose, text, out var bytes) && PageToken.Read(bytes) is { } token && token.Type == request.Type && token.Caller == NameOf(request.Caller)
            ? token
            : SearchFailures.Invalid("The value of '_page' is none that this server gave for this type. Start the search again.");
}

/// <param name="Matches">None, one, or two (standing for several).</param>
/// <param name="NoOther">Holds while no further record matches; excepts the candidates that were looked at and the matches.</param>
public sealed record CriteriaMatch(ImmutableArray<StoredResource> Matches, RecordCondition.NoneMatch NoOther);
