namespace Forecasting.Daily;

/// <summary>
/// Closed days that no calendar names but the past shows: holidays on which nobody came whenever they fell on an open weekday, and
/// stretches of an absence, which say nothing of the load when somebody is there again.
/// </summary>
public static class LearnedCalendar
{
    /// <summary>Visits that must have failed to come on a holiday's occurrences together: by chance that happens once in 160,000 names.</summary>
    private const double EnoughMissed = 12;

    /// <summary>Open days in a row without a visit, where at least <see cref="LeastUsual"/> a day are usual.</summary>
    private const int ShortestAbsence = 5;

    /// <summary>An absence longer than this that has not ended is no absence: the service has stopped.</summary>
    private const int LongestOpenAbsence = 20;

    private const double LeastUsual = 2;

    private const int WeeksAround = 8;

    /// <summary>Days with visits that tell what was usual before an absence.</summary>
    private const int DaysBefore = 20;

    /// <param name="horizon">Days after the series' end in which holidays are looked for.</param>
    /// <returns>The calendar with these days closed, past and coming.</returns>
    public static ServiceCalendar Of(DailySeries series, ServiceCalendar calendar, int horizon)
    {
        ArgumentNullException.ThrowIfNull(series);
        ArgumentNullException.ThrowIfNull(calendar);
        var skip = Math.Max(0, series.Values.Length - DailyForecaster.LongestHistory);
        var start = series.Start.AddDays(skip);
        var values = series.Values.Span[skip..];
        var usual = Usual(values, start, calendar);
        var silent = new bool[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            silent[i] = values[i] == 0 && usual[i] >= LeastUsual;
        }
        var closed = new HashSet<DateOnly>(calendar.ClosedDays);
        AddAbsences(values, start, calendar, closed);
        AddHolidays(silent, usual, start, horizon, closed);
        return closed.Count == calendar.ClosedDays.Count ? calendar : calendar with { ClosedDays = closed };
    }

    /// <summary>The median of the same weekday in the weeks around; 0 on closed days.</summary>
    private static double[] Usual(ReadOnlySpan<double> values, DateOnly start, ServiceCalendar calendar)
    {
        var usual = new double[values.Length];
        Span<double> around = stackalloc double[2 * WeeksAround];
        for (var i = 0; i < values.Length; i++)
        {
            if (!calendar.IsOpen(start.AddDays(i)))
            {
                continue;
            }
            var count = 0;
            for (var week = -WeeksAround; week <= WeeksAround; week++)
            {
                var other = i + (7 * week);
                if (week != 0 && other >= 0 && other < values.Length && values[other] >= 0)
                {
                    around[count++] = values[other];
                }
            }
            around[..count].Sort();
            usual[i] = count > 0 ? around[count / 2] : 0;
        }
        return usual;
    }

    /// <summary>Open days in a row without a visit, between days that had them, or before the end.</summary>
    private static void AddAbsences(ReadOnlySpan<double> values, DateOnly start, ServiceCalendar calendar, HashSet<DateOnly> closed)
    {
        var run = new List<DateOnly>();
        var before = new Queue<double>(DaysBefore);
        for (var i = 0; i < values.Length; i++)
        {
            var day = start.AddDays(i);
            if (!calendar.IsOpen(day) || double.IsNaN(values[i]))
            {
                continue; // a weekend neither ends an absence nor lengthens it
            }
            if (values[i] == 0)
            {
                run.Add(day);
                continue;
            }
            End(run, isOver: true);
            if (before.Count == DaysBefore)
            {
                before.Dequeue();
            }
            before.Enqueue(values[i]);
        }
        End(run, isOver: false);

        void End(List<DateOnly> run, bool isOver)
        {
            if (run.Count >= ShortestAbsence && (isOver || run.Count <= LongestOpenAbsence) && before.Count > 0 && before.Average() >= LeastUsual)
            {
                closed.UnionWith(run);
            }
            run.Clear();
        }
    }

    private static void AddHolidays(bool[] silent, double[] usual, DateOnly start, int horizon, HashSet<DateOnly> closed)
    {
        var names = new Dictionary<string, (int Days, double Missed, bool IsAlways)>(StringComparer.Ordinal);
        for (var i = 0; i < silent.Length; i++)
        {
            if (usual[i] < LeastUsual)
            {
                continue; // closed anyway, or too quiet to tell
            }
            foreach (var name in YearlyNames.Of(start.AddDays(i)))
            {
                var (days, missed, isAlways) = names.GetValueOrDefault(name, (0, 0, true));
                names[name] = (days + 1, missed + usual[i], isAlways && silent[i]);
            }
        }
        var holidays = names.Where(name => name.Value is { IsAlways: true, Days: >= 2, Missed: >= EnoughMissed }).Select(name => name.Key).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; holidays.Count > 0 && i < silent.Length + horizon; i++)
        {
            var day = start.AddDays(i);
            if ((i >= silent.Length || silent[i]) && YearlyNames.Of(day).Any(holidays.Contains))
            {
                closed.Add(day);
            }
        }
    }
}
