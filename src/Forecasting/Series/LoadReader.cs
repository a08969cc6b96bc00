using System.Runtime.CompilerServices;
using FhirCore.Records;

namespace Forecasting.Series;

/// <summary>Which keys make up a series.</summary>
/// <param name="Lookups">Parts by which they are found; one range query each. A key may be found by several.</param>
/// <param name="Admits">Which of those found belong to it.</param>
internal sealed record LoadFilter(IReadOnlyCollection<(LoadPart Part, string? Value)> Lookups, Func<LoadKey, bool> Admits)
{
    public static LoadFilter Everything { get; } = new([(LoadPart.Any, null)], static _ => true);

    public static LoadFilter Of(LoadPart part, params IEnumerable<string> values) => new([.. values.Select(value => (part, (string?)value))], static _ => true);
}

/// <summary>Reads series out of the months they are kept in.</summary>
internal sealed class LoadReader(IRecordStore records, LoadRecords load)
{
    /// <param name="from">From the first day of its month on.</param>
    /// <param name="to">To the last day of its month.</param>
    public async ValueTask<LoadCounts> ReadAsync(LoadFilter filter, DateOnly from, DateOnly to, CancellationToken ct)
    {
        var counts = new LoadCounts();
        await foreach (var month in MonthsAsync(filter, from, to, ct))
        {
            counts.Add(month);
        }
        return counts;
    }

    /// <summary>The same visits, by what a key's part is; those without it under an empty name.</summary>
    public async ValueTask<Dictionary<string, LoadCounts>> ReadByAsync(LoadFilter filter, Func<LoadKey, string?> part, DateOnly from, DateOnly to, CancellationToken ct)
    {
        var parts = new Dictionary<string, LoadCounts>(StringComparer.Ordinal);
        await foreach (var month in MonthsAsync(filter, from, to, ct))
        {
            var name = part(month.Key) ?? "";
            if (!parts.TryGetValue(name, out var counts))
            {
                parts[name] = counts = new();
            }
            counts.Add(month);
        }
        return parts;
    }

    private async IAsyncEnumerable<LoadMonth> MonthsAsync(LoadFilter filter, DateOnly from, DateOnly to, [EnumeratorCancellation] CancellationToken ct)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (part, value) in filter.Lookups)
        {
            await foreach (var month in load.Months.QueryAsync(load.Between(part, value, LoadRecords.MonthOf(from), LoadRecords.MonthOf(to)), ct))
            {
                if (filter.Admits(month.Value.Key) && (filter.Lookups.Count == 1 || seen.Add(month.Id)))
                {
                    yield return month.Value;
                }
            }
        }
    }

    /// <summary>Whether anything was ever counted.</summary>
    public async ValueTask<bool> AnyAsync(CancellationToken ct) => await records.CountAsync(LoadRecords.MonthType, Predicate.Everything, 1, ct) > 0;
}
