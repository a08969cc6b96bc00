using FhirCore.Records;

namespace Forecasting.Series;

/// <summary>Which keys make up a series.</summary>
/// <param name="Part">The part that they are looked up by.</param>
/// <param name="Values">Of that part; one range query each.</param>
/// <param name="Admits">Which of those found belong to it.</param>
internal sealed record LoadFilter(LoadPart Part, IReadOnlyCollection<string?> Values, Func<LoadKey, bool> Admits)
{
    public static LoadFilter Everything { get; } = new(LoadPart.Any, [null], static _ => true);

    public static LoadFilter Of(LoadPart part, string value) => new(part, [value], static _ => true);
}

/// <summary>Reads series out of the months they are kept in.</summary>
internal sealed class LoadReader(IRecordStore records, LoadRecords load)
{
    /// <param name="from">From the first day of its month on.</param>
    /// <param name="to">To the last day of its month.</param>
    public async ValueTask<LoadCounts> ReadAsync(LoadFilter filter, DateOnly from, DateOnly to, CancellationToken ct)
    {
        var counts = new LoadCounts();
        foreach (var value in filter.Values)
        {
            await foreach (var month in load.Months.QueryAsync(load.Between(filter.Part, value, LoadRecords.MonthOf(from), LoadRecords.MonthOf(to)), ct))
            {
                if (filter.Admits(month.Value.Key))
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
