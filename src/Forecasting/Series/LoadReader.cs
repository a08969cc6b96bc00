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
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (part, value) in filter.Lookups)
        {
            await foreach (var month in load.Months.QueryAsync(load.Between(part, value, LoadRecords.MonthOf(from), LoadRecords.MonthOf(to)), ct))
            {
                if (filter.Admits(month.Value.Key) && (filter.Lookups.Count == 1 || seen.Add(month.Id)))
                {
                    counts.Add(month.Value);
                }
            }
        }
        return counts;
    }

    /// <summary>Whether anything was ever counted.</summary>
    public async ValueTask<bool> AnyAsync(CancellationToken ct) => await records.CountAsync(LoadRecords.MonthType, Predicate.Everything, 1, ct) > 0;
}

/// <summary>Counts of some keys over some months, summed by day and hour.</summary>
internal sealed class LoadCounts
{
    private readonly Dictionary<(DateOnly Day, int Hour, VisitState State), int> _visits = [];
    private readonly Dictionary<DateOnly, (int Visits, int Days)> _leads = [];

    /// <summary>First day with anything; null where there is nothing.</summary>
    public DateOnly? First { get; private set; }

    public void Add(LoadMonth month)
    {
        var first = LoadRecords.FirstDayOf(month.Month);
        var counts = MonthCounts.Of(month.Visits, month.Leads);
        foreach (var ((day, hour, state), visits) in counts.Visits)
        {
            var date = first.AddDays(day - 1);
            _visits[(date, hour, state)] = _visits.GetValueOrDefault((date, hour, state)) + visits;
            First = First is { } known && known < date ? known : date;
        }
        foreach (var (day, (visits, days)) in counts.Leads)
        {
            var (knownVisits, knownDays) = _leads.GetValueOrDefault(first.AddDays(day - 1));
            _leads[first.AddDays(day - 1)] = (knownVisits + visits, knownDays + days);
        }
    }

    /// <summary>The first day of the series: that with the first visit, unless nothing follows it for longer than <paramref name="longestSilence"/> days.</summary>
    /// <param name="end">Later days do not count; returned where there is none before it.</param>
    public DateOnly Start(DateOnly end, int longestSilence)
    {
        var days = _visits.Keys.Select(cell => cell.Day).Where(day => day < end).Distinct().Order().ToList();
        for (var i = 0; i < days.Count; i++)
        {
            if (i == days.Count - 1 || days[i + 1].DayNumber - days[i].DayNumber <= longestSilence)
            {
                return days[i];
            }
        }
        return end;
    }

    /// <summary>One value a day.</summary>
    /// <param name="end">Excluded.</param>
    public double[] Days(LoadMeasure measure, DateOnly from, DateOnly end)
    {
        var days = new double[Math.Max(0, end.DayNumber - from.DayNumber)];
        foreach (var ((day, _, state), visits) in _visits)
        {
            if (day >= from && day < end && measure.Counts(state))
            {
                days[day.DayNumber - from.DayNumber] += visits;
            }
        }
        return days;
    }

    public IEnumerable<(DateOnly Day, int Hour, double Count)> Hours(LoadMeasure measure) =>
        _visits.Where(cell => measure.Counts(cell.Key.State)).Select(cell => (cell.Key.Day, cell.Key.Hour, (double)cell.Value));

    public int Of(VisitState state, DateOnly from, DateOnly end) => _visits.Where(cell => cell.Key.State == state && cell.Key.Day >= from && cell.Key.Day < end).Sum(cell => cell.Value);

    /// <summary>Days between booking and visit, on average; null where none is known.</summary>
    public double? MeanLead(DateOnly from, DateOnly end)
    {
        var (visits, days) = (0, 0);
        foreach (var (day, lead) in _leads)
        {
            if (day >= from && day < end)
            {
                (visits, days) = (visits + lead.Visits, days + lead.Days);
            }
        }
        return visits > 0 ? (double)days / visits : null;
    }
}
