using System.Text.Json;
using FhirCore.Records;
using FhirStore.Caching;

namespace FhirStore.Search;

/// <summary>Candidates that one request may still look at.</summary>
internal sealed class WorkBudget(int candidates)
{
    public int Left { get; private set; } = candidates;

    public bool IsSpent => Left < 0;

    public void Spend(int candidates) => Left -= candidates;
}

/// <summary>What the caller of a scan wants of each match.</summary>
internal enum MatchNeed
{
    Record,
    /// <summary>Its JSON, opened.</summary>
    Json,
    /// <summary>Its JSON, parsed.</summary>
    Parsed,
}

internal enum ScanEnd
{
    /// <summary>There are no more candidates.</summary>
    Finished,
    /// <summary>The caller had enough.</summary>
    Stopped,
    OverBudget,
}

/// <param name="Json">Empty where it was not needed.</param>
/// <param name="Resource">Valid only during the call; undefined where it was not needed.</param>
internal readonly record struct Match(StoredRecord Record, ReadOnlyMemory<byte> Json, JsonElement Resource);

/// <summary>Walks the candidates of a plan in its order, checks those the index has not decided, and hands out the matches.</summary>
internal sealed class MatchScan(IRecordStore store, RecordOpener opener)
{
    private const int LargestBatch = 500;
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 1_000 };

    /// <param name="onCandidate">Told of each candidate's id; null where nobody asks.</param>
    /// <param name="onMatch">Returns false to stop.</param>
    public async ValueTask<ScanEnd> RunAsync(
        SearchPlan plan, RecordCursor? after, int firstBatch, MatchNeed need, WorkBudget budget, Func<Match, bool> onMatch, CancellationToken ct, Action<string>? onCandidate = null)
    {
        if (ReferenceEquals(plan.Where, Predicate.Nothing))
        {
            return ScanEnd.Finished;
        }
        var open = need != MatchNeed.Record || !plan.IsExact;
        var parse = need == MatchNeed.Parsed || !plan.IsExact;
        var batch = Math.Clamp(firstBatch, 1, LargestBatch);
        while (true)
        {
            var page = await store.QueryAsync(new(plan.Type, plan.Where, plan.Order, after, batch), ct);
            budget.Spend(page.Records.Count);
            if (budget.IsSpent)
            {
                return ScanEnd.OverBudget;
            }
            foreach (var record in page.Records)
            {
                onCandidate?.Invoke(record.Key.Id);
                var json = open ? await opener.OpenAsync(record, ct) : default;
                if (!parse)
                {
                    if (!onMatch(new(record, json, default)))
                    {
                        return ScanEnd.Stopped;
                    }
                    continue;
                }
                using var document = JsonDocument.Parse(json, Depth);
                if (IsMatch(plan, record, document.RootElement) && !onMatch(new(record, json, document.RootElement)))
                {
                    return ScanEnd.Stopped;
                }
            }
            if (page.Next is null)
            {
                return ScanEnd.Finished;
            }
            after = page.Next;
            batch = Math.Min(batch * 2, LargestBatch);
        }
    }

    private static bool IsMatch(SearchPlan plan, StoredRecord record, JsonElement resource)
    {
        foreach (var clause in plan.Residual)
        {
            if (!clause.Matches(record.Key, resource))
            {
                return false;
            }
        }
        return true;
    }
}
