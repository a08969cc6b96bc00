using MathNet.Numerics.Statistics;

namespace Forecasting.Daily;

/// <summary>A series made fit to learn from: closed days left out, gaps filled, spikes held, holidays replaced by what an ordinary day would have been.</summary>
internal sealed class History
{
    private readonly ServiceCalendar _calendar;
    private readonly bool[] _quiet;

    private History(ServiceCalendar calendar, bool[] quiet, OpenDays days, int[] dayNumbers, bool[] isOrdinary, Doubts doubts)
    {
        (_calendar, _quiet, Days, DayNumbers, IsOrdinary, Doubts) = (calendar, quiet, days, dayNumbers, isOrdinary, doubts);
    }

    public OpenDays Days { get; }

    /// <summary>Of each open day.</summary>
    public int[] DayNumbers { get; }

    /// <summary>Counted, no holiday: a day that a forecast may be measured on.</summary>
    public bool[] IsOrdinary { get; }

    public Doubts Doubts { get; }

    /// <summary>What a holiday does to an ordinary day's load, by name.</summary>
    public required IReadOnlyDictionary<string, double> HolidayFactors { get; init; }

    public bool IsOpen(DateOnly day) => _calendar.IsOpen(day) && !_quiet[(int)day.DayOfWeek];

    public double FactorOf(DateOnly day) => _calendar.Holidays.TryGetValue(day, out var name) ? HolidayFactors.GetValueOrDefault(name, 1) : 1;

    /// <summary>How many open days lie before this day.</summary>
    public int CountBefore(int dayNumber)
    {
        var found = Array.BinarySearch(DayNumbers, dayNumber);
        return found < 0 ? ~found : found;
    }

    /// <param name="series">Only its last <paramref name="atMost"/> days are looked at, however many there are.</param>
    public static History Of(DailySeries series, ServiceCalendar calendar, int atMost)
    {
        var skip = Math.Max(0, series.Values.Length - atMost);
        var (counts, doubts) = Plausible(series.Values.Span[skip..]);
        var start = series.Start.AddDays(skip);
        var quiet = QuietWeekdays(counts, start, calendar);
        var open = new List<int>();
        for (var i = Array.FindIndex(counts, count => !double.IsNaN(count)); i >= 0 && i < counts.Length; i++)
        {
            var day = start.AddDays(i);
            if (calendar.IsOpen(day) && !quiet[(int)day.DayOfWeek])
            {
                open.Add(i);
            }
        }
        var days = open.ConvertAll(start.AddDays);
        var values = open.Select(i => counts[i]).ToArray();
        var known = Array.ConvertAll(values, value => !double.IsNaN(value));
        doubts |= quiet.Contains(true) ? Doubts.QuietWeekdays : Doubts.None;
        doubts |= Gaps(known, days, series.End);
        var weekdays = days.Select(day => (byte)day.DayOfWeek).ToArray();
        var perWeek = Math.Max(1, Enumerable.Range(0, 7).Count(d => !quiet[d] && !calendar.ClosedWeekdays.Contains((DayOfWeek)d)));
        var ordinary = days.Select((day, i) => known[i] && !calendar.Holidays.ContainsKey(day)).ToArray();
        if (HoldSpikes(values, ordinary))
        {
            doubts |= Doubts.Spikes;
        }
        var expected = Expected(values, weekdays, ordinary, perWeek);
        var factors = Factors(days, values, expected, known, calendar);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = ordinary[i] ? values[i] : expected[i];
        }
        return new(calendar, quiet, new(values, weekdays, perWeek), [.. days.Select(day => day.DayNumber)], ordinary, doubts) { HolidayFactors = factors };
    }

    private static (double[] Counts, Doubts Doubts) Plausible(ReadOnlySpan<double> values)
    {
        var counts = values.ToArray();
        var doubts = Doubts.None;
        for (var i = 0; i < counts.Length; i++)
        {
            if (!(counts[i] >= 0 && counts[i] <= DailySeries.Greatest))
            {
                doubts |= double.IsNaN(counts[i]) ? Doubts.None : Doubts.ImpossibleCounts;
                counts[i] = double.NaN;
            }
        }
        return (counts, doubts);
    }

    /// <summary>Weekdays that brought nothing in eight weeks or more while others did: nobody works then, whatever the calendar leaves open.</summary>
    private static bool[] QuietWeekdays(double[] counts, DateOnly start, ServiceCalendar calendar)
    {
        const int weeks = 8, lookBack = 26 * 7;
        var seen = new int[7];
        var busy = new bool[7];
        for (var i = Math.Max(0, counts.Length - lookBack); i < counts.Length; i++)
        {
            var weekday = (int)start.AddDays(i).DayOfWeek;
            if (!double.IsNaN(counts[i]) && calendar.IsOpen(start.AddDays(i)))
            {
                seen[weekday]++;
                busy[weekday] |= counts[i] > 0;
            }
        }
        return [.. Enumerable.Range(0, 7).Select(d => busy.Contains(true) && !busy[d] && seen[d] >= weeks)];
    }

    private static Doubts Gaps(bool[] known, List<DateOnly> days, DateOnly end)
    {
        var last = Array.LastIndexOf(known, true);
        if (last < 0)
        {
            return Doubts.NoHistory;
        }
        var missing = known.Count(isKnown => !isKnown);
        return (missing > 0 ? Doubts.Gaps : Doubts.None)
            | (missing * 5 > known.Length ? Doubts.ManyGaps : Doubts.None)
            | (end.DayNumber - days[last].DayNumber > 7 && days.Skip(last + 1).Count() >= 2 ? Doubts.Stale : Doubts.None);
    }

    /// <summary>A count far beyond anything else (a double import, a typing error) would bend every method; it is held at a bound that busy days do not reach.</summary>
    private static bool HoldSpikes(double[] values, bool[] ordinary)
    {
        var sorted = values.Where((_, i) => ordinary[i]).Order().ToArray();
        if (sorted.Length < 14)
        {
            return false;
        }
        var usual = sorted[..^Math.Max(1, sorted.Length / 50)];
        var bound = usual.Mean() + (12 * Math.Max(1, usual.PopulationStandardDeviation()));
        var held = false;
        for (var i = 0; i < values.Length; i++)
        {
            if (ordinary[i] && values[i] > bound)
            {
                values[i] = bound;
                held = true;
            }
        }
        return held;
    }

    /// <summary>What an ordinary day would bring, for days that were not: the mean of the same weekday within four weeks before and after.</summary>
    private static double[] Expected(double[] values, byte[] weekdays, bool[] ordinary, int perWeek)
    {
        var reach = 4 * perWeek;
        var overall = values.Where((_, i) => ordinary[i]).DefaultIfEmpty(0).Average();
        var expected = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (ordinary[i])
            {
                continue;
            }
            var (same, sameCount, any, anyCount) = (0.0, 0, 0.0, 0);
            for (var j = Math.Max(0, i - reach); j <= Math.Min(values.Length - 1, i + reach); j++)
            {
                if (ordinary[j])
                {
                    (any, anyCount) = (any + values[j], anyCount + 1);
                    (same, sameCount) = weekdays[j] == weekdays[i] ? (same + values[j], sameCount + 1) : (same, sameCount);
                }
            }
            expected[i] = sameCount > 0 ? same / sameCount : anyCount > 0 ? any / anyCount : overall;
        }
        return expected;
    }

    /// <summary>Observed over expected, drawn halfway to no effect by a first occurrence and less by each more.</summary>
    private static Dictionary<string, double> Factors(List<DateOnly> days, double[] values, double[] expected, bool[] known, ServiceCalendar calendar)
    {
        var sums = new Dictionary<string, (double Seen, double Expected, int Count)>(StringComparer.Ordinal);
        for (var i = 0; i < values.Length; i++)
        {
            if (known[i] && calendar.Holidays.TryGetValue(days[i], out var name))
            {
                var sum = sums.GetValueOrDefault(name);
                sums[name] = (sum.Seen + values[i], sum.Expected + expected[i], sum.Count + 1);
            }
        }
        return sums.ToDictionary(pair => pair.Key, pair => pair.Value.Expected > 0
            ? Math.Clamp((pair.Value.Seen + (pair.Value.Expected / pair.Value.Count / 2)) / (pair.Value.Expected + (pair.Value.Expected / pair.Value.Count / 2)), 0, 3)
            : 1, StringComparer.Ordinal);
    }
}
