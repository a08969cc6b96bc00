namespace Forecasting.Daily;

/// <summary>Methods tried on the recent past from one origin a week, mixed by their errors there, and the errors of the mix itself.</summary>
internal sealed class Trial
{
    /// <summary>Origins that the intervals rest on, one a week; and those that the weights rest on, one a fortnight.</summary>
    private const int Origins = 26, WeightOrigins = 8;

    /// <summary>Farther ahead than this nothing is tried: few origins would be left.</summary>
    private const int LongestTrial = 91;

    /// <summary>How strongly a smaller error counts. Averages beat picking the best; this is close to an average.</summary>
    private const double Sharpness = 4;

    /// <summary>A mean that is better by no more than this is as good: where a load only scatters about its weekdays, one of both is ahead by chance.</summary>
    private const double Tie = 0.01;

    public required string MethodName { get; init; }

    /// <summary>Of the open days ahead, in order.</summary>
    public required double[] Ahead { get; init; }

    public required IReadOnlyDictionary<string, double> Weights { get; init; }

    public required IntervalTable DayWidths { get; init; }

    public required IntervalTable WeekWidths { get; init; }

    public double? Mase { get; init; }

    public double? MeanMase { get; init; }

    public Doubts Doubts { get; init; }

    /// <param name="WeeksBack">How long before the end, in weeks; 0 is the end itself.</param>
    /// <param name="Index">Open days before it.</param>
    /// <param name="Ahead">Weekdays of the open days after it, as far as they are tried.</param>
    private sealed record Origin(int WeeksBack, int DayNumber, int Index, byte[] Ahead);

    /// <summary>A method and its forecasts by origin; an origin too early for it is missing.</summary>
    private sealed record Candidate(IMethod Method, Dictionary<Origin, double[]> Forecasts);

    public static Trial Run(History history, int end, int horizon, IMethod[] methods, IMethod mean)
    {
        var tried = Math.Min(horizon, LongestTrial);
        var whole = (tried + 6) / 7; // weeks back from which the whole horizon is known by now
        var now = new Origin(0, end, history.Days.Count, OpenWeekdays(history, end, horizon));
        var origins = Enumerable.Range(1, Math.Max(Origins, whole + (2 * WeightOrigins) - 2)).Reverse()
            .Select(back => At(history, end, back, tried)).Where(origin => origin.Index >= 2 * history.Days.PerWeek).ToArray();
        var bound = Bound(history);
        var meanRun = Try(history, mean, [.. origins, now]);
        var runs = methods.Select(method => method == mean ? meanRun : Try(history, method, [.. origins, now])).ToList();
        var left = runs.RemoveAll(run => run.Forecasts.Values.Any(forecast => forecast.Any(value => !(Math.Abs(value) <= bound))));
        if (runs.Count == 0)
        {
            runs.Add(meanRun);
        }
        var weights = Weigh(history, runs, meanRun, [.. origins.Where(origin => origin.WeeksBack >= whole && (origin.WeeksBack - whole) % 2 == 0 && origin.WeeksBack < whole + (2 * WeightOrigins))]);
        var mixes = origins.Where(origin => runs.Exists(run => run.Forecasts.ContainsKey(origin))).ToDictionary(origin => origin, origin => Mix(runs, weights, origin));
        var wholeOnes = mixes.Keys.Where(origin => origin.WeeksBack >= whole && origin.WeeksBack <= Origins).ToArray();
        var scale = NaiveError(history);
        var mase = MeanError(history, wholeOnes, origin => mixes[origin]) / scale;
        var meanMase = MeanError(history, wholeOnes, origin => meanRun.Forecasts[origin]) / scale;
        var (recent, spread) = (mixes.Where(pair => pair.Key.WeeksBack <= Origins).ToArray(), Spread.Of(history.Days));
        var intervals = ConformalIntervals.Of(recent.SelectMany(pair => Scores(history, pair.Key, pair.Value)), spread, ConformalIntervals.OfDays);
        return new()
        {
            MethodName = runs.Count == 1 ? runs[0].Method.Name : $"mix of {string.Join(" + ", runs.Select(run => run.Method.Name))}",
            Ahead = Mix(runs, weights, now),
            Weights = runs.Zip(weights).ToDictionary(pair => pair.First.Method.Name, pair => pair.Second),
            DayWidths = intervals.ToTable(),
            WeekWidths = ConformalIntervals.Of(recent.SelectMany(pair => WeekScores(history, pair.Key, pair.Value)), spread, ConformalIntervals.OfWeeks).ToTable(),
            Mase = double.IsFinite(mase) ? mase : null,
            MeanMase = double.IsFinite(meanMase) ? meanMase : null,
            Doubts = (left > 0 ? Doubts.MethodLeftOut : Doubts.None)
                | (intervals.IsAssumed ? Doubts.AssumedIntervals : Doubts.None)
                | (runs.Count > 1 && mase > meanMase + Tie ? Doubts.NoBetterThanMean : Doubts.None)
                | (HasShifted(history, mixes) ? Doubts.RecentShift : Doubts.None),
        };
    }

    private static Candidate Try(History history, IMethod method, Origin[] origins)
    {
        var able = origins.Where(origin => origin.Index >= (origin.WeeksBack == 0 ? 1 : method.MinimumWeeksOnTrial) * history.Days.PerWeek).ToArray();
        var forecasts = method.ForecastEach(Array.ConvertAll(able, origin =>
            (history.Days.Before(origin.Index, DailyForecaster.LearningWeeks * history.Days.PerWeek), new ReadOnlyMemory<byte>(origin.Ahead))));
        return new(method, able.Zip(forecasts).ToDictionary(pair => pair.First, pair => pair.Second));
    }

    /// <summary>Each method's error against the mean's on the same origins, so that one with fewer of them is not judged by an easier time.</summary>
    private static double[] Weigh(History history, List<Candidate> runs, Candidate mean, Origin[] origins)
    {
        var weights = runs.ConvertAll(run =>
        {
            var common = origins.Where(run.Forecasts.ContainsKey).ToArray();
            var relative = MeanError(history, common, origin => run.Forecasts[origin]) / MeanError(history, common, origin => mean.Forecasts[origin]);
            return double.IsFinite(relative) ? Math.Pow(Math.Max(relative, 0.01), -Sharpness) : 1;
        });
        var sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }

    private static double[] Mix(List<Candidate> runs, double[] weights, Origin origin)
    {
        var mix = new double[origin.Ahead.Length];
        var total = 0.0;
        for (var i = 0; i < runs.Count; i++)
        {
            if (runs[i].Forecasts.TryGetValue(origin, out var forecast))
            {
                total += weights[i];
                for (var h = 0; h < mix.Length; h++)
                {
                    mix[h] += weights[i] * forecast[h];
                }
            }
        }
        return Array.ConvertAll(mix, value => Math.Max(0, value / total));
    }

    private static IEnumerable<(int Ahead, double Score)> Scores(History history, Origin origin, double[] forecast) =>
        Measured(history, origin).Select(h => (history.DayNumbers[origin.Index + h] - origin.DayNumber, ConformalIntervals.Score(history.Days.Values.Span[origin.Index + h], forecast[h])));

    /// <summary>Of whole weeks after the origin in which every open day was measured.</summary>
    private static IEnumerable<(int Ahead, double Score)> WeekScores(History history, Origin origin, double[] forecast)
    {
        var measured = Measured(history, origin).ToHashSet();
        foreach (var week in Enumerable.Range(0, forecast.Length).GroupBy(h => (history.DayNumbers[origin.Index + h] - origin.DayNumber) / 7))
        {
            if (week.Count() >= history.Days.PerWeek && week.All(measured.Contains))
            {
                yield return (7 * week.Key, ConformalIntervals.Score(week.Sum(h => history.Days.Values.Span[origin.Index + h]), week.Sum(h => forecast[h])));
            }
        }
    }

    /// <summary>Mean absolute error over all measured days of all origins; not a number when there are none.</summary>
    private static double MeanError(History history, IEnumerable<Origin> origins, Func<Origin, double[]> forecasts)
    {
        var (sum, count) = (0.0, 0);
        foreach (var origin in origins)
        {
            var forecast = forecasts(origin);
            foreach (var h in Measured(history, origin))
            {
                sum += Math.Abs(history.Days.Values.Span[origin.Index + h] - forecast[h]);
                count++;
            }
        }
        return sum / count;
    }

    /// <summary>Days after the origin that were counted and were no holiday.</summary>
    private static IEnumerable<int> Measured(History history, Origin origin) => Enumerable.Range(0, origin.Ahead.Length).Where(h => history.IsOrdinary[origin.Index + h]);

    /// <summary>The error of repeating each weekday's last value, over the days methods learn from.</summary>
    private static double NaiveError(History history)
    {
        var days = history.Days.Before(history.Days.Count, DailyForecaster.LearningWeeks * history.Days.PerWeek);
        var (values, weekdays) = (days.Values.ToArray(), days.Weekdays.ToArray());
        var last = new double[7];
        Array.Fill(last, double.NaN);
        var (sum, count) = (0.0, 0);
        for (var i = 0; i < values.Length; i++)
        {
            if (!double.IsNaN(last[weekdays[i]]))
            {
                sum += Math.Abs(values[i] - last[weekdays[i]]);
                count++;
            }
            last[weekdays[i]] = values[i];
        }
        return sum / count;
    }

    /// <summary>Whether the last fortnight missed its forecast, on average and in one direction, by more than four times what fortnights before it did.</summary>
    private static bool HasShifted(History history, Dictionary<Origin, double[]> mixes)
    {
        var misses = mixes.Where(pair => pair.Key.WeeksBack % 2 == 0).OrderBy(pair => pair.Key.WeeksBack).Select(pair =>
        {
            var fortnight = Measured(history, pair.Key).Where(h => history.DayNumbers[pair.Key.Index + h] < pair.Key.DayNumber + 14).ToArray();
            return fortnight.Length == 0 ? 0 : fortnight.Average(h => history.Days.Values.Span[pair.Key.Index + h] - pair.Value[h]);
        }).ToArray();
        return misses.Length >= 6 && Math.Abs(misses[0]) > 4 * Math.Sqrt(misses.Skip(1).Average(miss => miss * miss)) && Math.Abs(misses[0]) > 1;
    }

    /// <summary>No load grows beyond this within the horizon: a method that says so has run away.</summary>
    private static double Bound(History history)
    {
        var largest = 0.0;
        foreach (var value in history.Days.Values.Span)
        {
            largest = Math.Max(largest, value);
        }
        return (3 * largest) + 10;
    }

    private static Origin At(History history, int end, int back, int tried)
    {
        var dayNumber = end - (7 * back);
        var index = history.CountBefore(dayNumber);
        var until = history.CountBefore(Math.Min(end, dayNumber + tried));
        return new(back, dayNumber, index, history.Days.Weekdays[index..until].ToArray());
    }

    private static byte[] OpenWeekdays(History history, int end, int horizon) =>
        [.. Enumerable.Range(end, horizon).Select(DateOnly.FromDayNumber).Where(history.IsOpen).Select(day => (byte)day.DayOfWeek)];
}
