namespace Forecasting.Daily;

/// <summary>On which days the service works. A day it does not work is certain to bring nothing and teaches nothing.</summary>
public sealed record ServiceCalendar
{
    /// <summary>Open every day, no holidays.</summary>
    public static ServiceCalendar AlwaysOpen { get; } = new();

    /// <summary>Weekdays without a Schedule.</summary>
    public IReadOnlySet<DayOfWeek> ClosedWeekdays { get; init; } = new HashSet<DayOfWeek>();

    /// <summary>Single days without a Schedule, past and coming.</summary>
    public IReadOnlySet<DateOnly> ClosedDays { get; init; } = new HashSet<DateOnly>();

    /// <summary>Open days that are not like others of their weekday, past and coming, with a name that comes back each year: what one year's day did to the load is expected of the next.</summary>
    public IReadOnlyDictionary<DateOnly, string> Holidays { get; init; } = new Dictionary<DateOnly, string>();

    /// <summary>Whether the service works on this day.</summary>
    public bool IsOpen(DateOnly day) => !ClosedWeekdays.Contains(day.DayOfWeek) && !ClosedDays.Contains(day);
}
