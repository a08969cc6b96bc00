using System.Collections.Immutable;
using FhirCore;
using FhirCore.Records;
using FhirStore.Caching;
using FhirStore.Slots;

namespace FhirStore.Search;

/// <summary>Reads one page of a plan's matches, in the order of an index or sorted in memory.</summary>
internal sealed class PageReader(IRecordStore store, RecordOpener opener, MatchScan scan, FreeSlots? freeSlots, SearchOptions options)
{
    /// <param name="End">Where the page ended; null on the last.</param>
    public sealed record Result(ImmutableArray<StoredResource> Matches, long? Total, PageToken? End);

    public ValueTask<Outcome<Result>> ReadAsync(SearchPlan plan, SearchQuery query, PageToken? from, WorkBudget budget, CancellationToken ct) =>
        !plan.SortInMemory.IsEmpty ? SortedAsync(plan, query, from, budget, ct)
        : plan.IsExact ? ExactAsync(plan, query, from, ct)
        : CheckedAsync(plan, query, from, budget, ct);

    public async ValueTask<Outcome<long>> CountAsync(SearchPlan plan, WorkBudget budget, CancellationToken ct)
    {
        if (plan.IsExact)
        {
            return await store.CountAsync(plan.Type, plan.Where, long.MaxValue, ct);
        }
        var count = 0L;
        var end = await scan.RunAsync(plan with { Order = RecordOrder.ById }, null, int.MaxValue, MatchNeed.Record, budget, _ => ++count > 0, ct);
        return end == ScanEnd.Finished ? count : TooCostly(plan, "count its matches");
    }

    private async ValueTask<Outcome<Result>> ExactAsync(SearchPlan plan, SearchQuery query, PageToken? from, CancellationToken ct)
    {
        var page = plan.FreeSlots is { } range && freeSlots is not null && (from is null || from.After is not null) ? await freeSlots.PageAsync(range, from?.After, query.Count, ct) : null;
        var (matches, next) = page is not null ? (page.Matches, page.Next) : await QueryAsync(plan, query, from, ct);
        var total = from?.Total ?? (query.Total == TotalMode.Accurate ? await store.CountAsync(plan.Type, plan.Where, long.MaxValue, ct) : FreeTotal(query, from, next is null, matches.Length));
        return new Result(matches, total, next is null ? null : End(total, next, [], next.Id));
    }

    private async ValueTask<(ImmutableArray<StoredResource> Matches, RecordCursor? Next)> QueryAsync(SearchPlan plan, SearchQuery query, PageToken? from, CancellationToken ct)
    {
        var page = await store.QueryAsync(new(plan.Type, plan.Where, plan.Order, from?.After, query.Count), ct);
        var matches = ImmutableArray.CreateBuilder<StoredResource>(page.Records.Count);
        foreach (var record in page.Records)
        {
            matches.Add(opener.Show(record, await opener.OpenAsync(record, ct)));
        }
        return (matches.MoveToImmutable(), page.Next);
    }

    private async ValueTask<Outcome<Result>> CheckedAsync(SearchPlan plan, SearchQuery query, PageToken? from, WorkBudget budget, CancellationToken ct)
    {
        var countAll = query.Total == TotalMode.Accurate && from is null;
        var matches = ImmutableArray.CreateBuilder<StoredResource>();
        var found = 0L;
        StoredRecord? last = null;
        var end = await scan.RunAsync(plan, from?.After, query.Count + 1, MatchNeed.Json, budget, match =>
        {
            if (++found <= query.Count)
            {
                matches.Add(opener.Show(match.Record, match.Json));
                last = match.Record;
            }
            return found <= query.Count || countAll;
        }, ct);
        if (end == ScanEnd.OverBudget && (countAll || found < query.Count))
        {
            return TooCostly(plan, "fill a page");
        }
        // Where the budget ends behind a full page, nobody knows whether more follows: the next page tells.
        var more = found > query.Count || end == ScanEnd.OverBudget;
        var total = from?.Total ?? (countAll ? found : FreeTotal(query, from, !more, matches.Count));
        var cursor = more && last is not null ? new RecordCursor(plan.Order.Field is { } field ? last.Index.First(field) : default, last.Key.Id) : null;
        return new Result(matches.ToImmutable(), total, cursor is null ? null : End(total, cursor, [], cursor.Id));
    }

    private async ValueTask<Outcome<Result>> SortedAsync(SearchPlan plan, SearchQuery query, PageToken? from, WorkBudget budget, CancellationToken ct)
    {
        var keys = plan.SortInMemory;
        var all = new List<(SortValue[] Values, StoredRecord Record)>();
        var end = await scan.RunAsync(plan, null, int.MaxValue, MatchNeed.Parsed, budget, match =>
        {
            var values = new SortValue[keys.Length];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = SortValue.Of(keys[i], match.Record, match.Resource);
            }
            all.Add((values, match.Record));
            return all.Count <= options.MaxIntermediate;
        }, ct);
        if (end != ScanEnd.Finished)
        {
            return SearchFailures.TooCostly(
                $"Sorting by {string.Join(", ", keys.Select(k => $"'{k.Parameter.Name}'"))} takes at most {options.MaxIntermediate} matches. Add a more selective parameter{Suggestion(plan)}, or sort by _id or _lastUpdated.");
        }
        all.Sort((a, b) => SortValue.Compare(a.Values, a.Record.Key.Id, b.Values, b.Record.Key.Id, keys));
        var start = from is null ? 0 : all.FindIndex(m => SortValue.Compare(m.Values, m.Record.Key.Id, from.AfterValues.AsSpan(), from.AfterId, keys) > 0);
        start = start < 0 ? all.Count : start;
        var count = Math.Min(query.Count, all.Count - start);
        var matches = ImmutableArray.CreateBuilder<StoredResource>(count);
        for (var i = start; i < start + count; i++)
        {
            matches.Add(opener.Show(all[i].Record, await opener.OpenAsync(all[i].Record, ct)));
        }
        var total = query.Total == TotalMode.None ? (long?)null : from?.Total ?? all.Count;
        var more = start + count < all.Count && count > 0;
        return new Result(matches.MoveToImmutable(), total, more ? End(total, null, [.. all[start + count - 1].Values], all[start + count - 1].Record.Key.Id) : null);
    }

    private static long? FreeTotal(SearchQuery query, PageToken? from, bool isLast, int matches) =>
        query.Total != TotalMode.None && from is null && isLast ? matches : null;

    private static PageToken End(long? total, RecordCursor? after, ImmutableArray<SortValue> values, string id) => new("", "", [], false, total, after, values, id);

    private FhirFailure TooCostly(SearchPlan plan, string aim) =>
        SearchFailures.TooCostly($"To {aim}, this search would look at more than {options.CandidateBudget} {plan.Type} resources. Add a more selective parameter{Suggestion(plan)}.");

    private static string Suggestion(SearchPlan plan)
    {
        var parameters = Indexing.SearchParameterCatalog.For(plan.Type);
        var names = new[] { "identifier", "patient", "subject", "schedule", "actor", "date", "birthdate", "name", "code", "url" }.Where(n => parameters.Find(n) is not null).Take(3);
        return string.Join(", ", names) is { Length: > 0 } list ? $", such as {list}" : "";
    }
}
