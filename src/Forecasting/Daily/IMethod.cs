namespace Forecasting.Daily;

/// <summary>One way to continue a series of open days. Pure: the same days give the same numbers.</summary>
internal interface IMethod
{
    string Name { get; }

    /// <summary>Least weeks of history to serve with.</summary>
    int MinimumWeeks { get; }

    /// <summary>Least weeks to be tried on the past with. A method of two years can be tried within the two years it needs.</summary>
    int MinimumWeeksOnTrial => MinimumWeeks;

    /// <param name="past">At least <see cref="MinimumWeeksOnTrial"/>.</param>
    /// <param name="ahead">Weekdays of the open days to come, in order.</param>
    double[] Forecast(OpenDays past, ReadOnlySpan<byte> ahead);

    /// <summary>The same from several points in order of time, for methods that can use one answer in finding the next.</summary>
    IEnumerable<double[]> ForecastEach(IReadOnlyList<(OpenDays Past, ReadOnlyMemory<byte> Ahead)> points) => points.Select(point => Forecast(point.Past, point.Ahead.Span));
}
