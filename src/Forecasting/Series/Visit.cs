namespace Forecasting.Series;

/// <summary>What has become of a visit, or will.</summary>
public enum VisitState
{
    /// <summary>Asked for: proposed, pending, on the waitlist.</summary>
    Waiting,
    /// <summary>Booked, and nobody has said yet whether it took place.</summary>
    Booked,
    /// <summary>Arrived, checked in, fulfilled.</summary>
    Attended,
    /// <summary>The patient did not come: noshow.</summary>
    Missed,
    Cancelled,
}

/// <summary>What one appointment adds to one series: one visit on one day.</summary>
/// <param name="Day">On the clock of where it takes place.</param>
/// <param name="Hour">0…23 on that clock, of its start. Of two hours that a clock change makes one, both count as that one.</param>
/// <param name="LeadDays">Whole days from when it was made to its start; null where it was written down afterwards.</param>
public readonly record struct Visit(LoadKey Key, DateOnly Day, int Hour, VisitState State, int? LeadDays);

/// <summary>Which visits are counted.</summary>
public enum LoadMeasure
{
    /// <summary>Everybody who wanted to come on the day: booked, cancelled since, or still waiting.</summary>
    Demand,
    /// <summary>Held a booking, whether or not they came.</summary>
    Booked,
    /// <summary>Came.</summary>
    Attended,
}

internal static class LoadMeasures
{
    public static bool Counts(this LoadMeasure measure, VisitState state) => measure switch
    {
        LoadMeasure.Demand => true,
        LoadMeasure.Booked => state is VisitState.Booked or VisitState.Attended or VisitState.Missed,
        LoadMeasure.Attended => state is VisitState.Attended,
        _ => throw new ArgumentOutOfRangeException(nameof(measure), measure, "Say here which visits the new measure counts."),
    };
}
