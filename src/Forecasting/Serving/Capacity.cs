using FhirCore;
using Forecasting.Series;

namespace Forecasting.Serving;

/// <summary>How a week's slots compare with what is expected.</summary>
public enum WeekVerdict
{
    /// <summary>Even the upper end of what is expected finds a slot.</summary>
    Fits,
    /// <summary>What is expected finds a slot, the upper end does not.</summary>
    Tight,
    /// <summary>More is expected than there are slots.</summary>
    Overflow,
    /// <summary>Not all slots of the week are there yet.</summary>
    Unpublished,
    /// <summary>Nobody works and nobody is expected.</summary>
    Closed,
}

/// <param name="First">Monday, or tomorrow.</param>
/// <param name="Days">Up to seven.</param>
/// <param name="Expected">Visits asked for, cancelled ones among them.</param>
internal readonly record struct CapacityWeek(DateOnly First, int Days, double Expected, double Lower, double Upper, int Booked, SlotCount Slots, WeekVerdict Verdict);

internal sealed record SubjectCapacity(SubjectForecast Forecast, IReadOnlyList<CapacityWeek> Weeks);

/// <summary><c>$capacity</c>: the demand ahead against the slots there are, week by week, from tomorrow on: for today it is too late to plan.</summary>
internal sealed class CapacityAnswers(LoadAnswers answers, ForecastBook book, SlotBook slots)
{
    public async Task<Outcome<IReadOnlyList<SubjectCapacity>>> RunAsync(LoadCall call, LoadQuestion question, CancellationToken ct)
    {
        if (!(await answers.SubjectsAsync(call, ct)).TryGet(out var subjects, out var failure))
        {
            return failure;
        }
        var all = new List<SubjectCapacity>(subjects.Count);
        foreach (var subject in subjects)
        {
            var forecast = await book.GetAsync(subject, LoadMeasure.Demand, ct);
            all.Add(new(forecast, await WeeksAsync(forecast, question, ct)));
        }
        return all;
    }

    private async ValueTask<List<CapacityWeek>> WeeksAsync(SubjectForecast forecast, LoadQuestion question, CancellationToken ct)
    {
        var last = await slots.LastDayAsync(forecast.Subject.Schedules, forecast.Subject.Zone, ct);
        var weeks = new List<CapacityWeek>();
        foreach (var point in ForecastPoints.WeeksFromTomorrow(forecast, question.Horizon, question.Percent))
        {
            var end = point.Day.AddDays(point.Days);
            var count = new SlotCount();
            foreach (var schedule in forecast.Subject.Schedules)
            {
                count += await slots.CountAsync(schedule, SlotBook.Midnight(point.Day, forecast.Subject.Zone), SlotBook.Midnight(end, forecast.Subject.Zone), ct);
            }
            var lastOpen = forecast.Forecast.Days.LastOrDefault(day => day.Day >= point.Day && day.Day < end && day.IsOpen).Day;
            weeks.Add(new(point.Day, point.Days, point.Value, point.Lower, point.Upper, point.Booked, count, Judge(point, count, isPublished: last is { } known && lastOpen <= known)));
        }
        return weeks;
    }

    internal static WeekVerdict Judge(ForecastPoint point, SlotCount slots, bool isPublished) =>
        !point.IsOpen && slots.All == 0 ? WeekVerdict.Closed
        : !isPublished ? WeekVerdict.Unpublished
        : point.Value > slots.All ? WeekVerdict.Overflow
        : point.Upper > slots.All ? WeekVerdict.Tight
        : WeekVerdict.Fits;
}
