namespace Forecasting.Series;

/// <summary>Counts of some keys over some months, summed by day and hour.</summary>
internal sealed class LoadCounts
{
    private static readonly int States = Enum.GetValues<VisitState>().Length;

    private readonly Dictionary<DateOnly, int[]> _days = [];
    private readonly Dictionary<(DateOnly Day, int Hour), int[]> _hours = [];
    private readonly Dictionary<DateOnly, (int Visits, int Days)> _leads = [];

    public void Add(LoadMonth month)
    {
        var first = LoadRecords.FirstDayOf(month.Month);
        var counts = MonthCounts.Of(month.Visits, month.Leads);
        foreach (var ((day, hour, state), visits) in counts.Visits)
        {
            Add(first.AddDays(day - 1), hour, state, visits);
        }
        foreach (var (day, (visits, days)) in counts.Leads)
        {
            var (knownVisits, knownDays) = _leads.GetValueOrDefault(first.AddDays(day - 1));
            _leads[first.AddDays(day - 1)] = (knownVisits + visits, knownDays + days);
        }
    }

    public static LoadCounts Sum(IEnumerable<LoadCounts> parts)
    {
        var sum = new LoadCounts();
        foreach (var part in parts)
        {
            foreach (var ((day, hour), states) in part._hours)
            {
                for (var state = 0; state < States; state++)
                {
                    sum.Add(day, hour, (VisitState)state, states[state]);
                }
            }
        }
        return sum;
    }

    /// <summary>The first day of the series: that with the first visit, unless nothing follows it for longer than <paramref name="longestSilence"/> days.</summary>
    /// <param name="end">Later days do not count; returned where there is none before it.</param>
    public DateOnly Start(DateOnly end, int longestSilence)
    {
        var days = _days.Keys.Where(day => day < end).Order().ToList();
        for (var i = 0; i < days.Count; i++)
        {
            if (i == days.Count - 1 || days[i + 1].DayNumber - days[i].DayNumber <= longestSilence)
            {
                return days[i];
            }
        }
        return end;
    }

    /// <summary>Whether there is anything on this day or later.</summary>
    public bool Any(DateOnly from) => _days.Keys.Any(day => day >= from);

    /// <summary>One value a day.</summary>
    /// <param name="end">Excluded.</param>
    public double[] Days(LoadMeasure measure, DateOnly from, DateOnly end)
    {
        var days = new double[Math.Max(0, end.DayNumber - from.DayNumber)];
        for (var i = 0; i < days.Length; i++)
        {
            days[i] = _days.TryGetValue(from.AddDays(i), out var states) ? Of(measure, states) : 0;
        }
        return days;
    }

    public IEnumerable<(DateOnly Day, int Hour, double Count)> Hours(LoadMeasure measure) =>
        _hours.Select(cell => (cell.Key.Day, cell.Key.Hour, (double)Of(measure, cell.Value))).Where(cell => cell.Item3 != 0);

    /// <param name="end">Excluded.</param>
    public int Of(VisitState state, DateOnly from, DateOnly end) => Sum(from, end, states => states[(int)state]);

    /// <param name="end">Excluded.</param>
    public int Of(LoadMeasure measure, DateOnly from, DateOnly end) => Sum(from, end, states => Of(measure, states));

    /// <summary>Days between booking and visit, on average; null where none is known.</summary>
    /// <param name="end">Excluded.</param>
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

    private int Sum(DateOnly from, DateOnly end, Func<int[], int> of)
    {
        var sum = 0;
        for (var day = from; day < end; day = day.AddDays(1))
        {
            sum += _days.TryGetValue(day, out var states) ? of(states) : 0;
        }
        return sum;
    }

    private void Add(DateOnly day, int hour, VisitState state, int visits)
    {
        if (!_days.TryGetValue(day, out var ofDay))
        {
            _days[day] = ofDay = new int[States];
        }
        if (!_hours.TryGetValue((day, hour), out var ofHour))
        {
            _hours[(day, hour)] = ofHour = new int[States];
        }
        ofDay[(int)state] += visits;
        ofHour[(int)state] += visits;
    }

    private static int Of(LoadMeasure measure, int[] states)
    {
        var sum = 0;
        for (var state = 0; state < states.Length; state++)
        {
            sum += measure.Counts((VisitState)state) ? states[state] : 0;
        }
        return sum;
    }
}
