namespace Forecasting.NoShow;

/// <summary>
/// What the risk rests on: when, for what and how long before a visit was booked, how the patient kept earlier ones, and reminders. Nothing
/// that a person is protected for, and nothing that stands in for it: docs/decisions/0162-what-the-no-show-risk-may-know.md.
/// </summary>
internal static class NoShowFeatures
{
    public const int Count = 9;

    private const float Unknown = -1;

    /// <summary>A reason as people are told it, and the features that it is made of.</summary>
    public static readonly (string Code, string Text, int[] Features)[] Factors =
    [
        ("lead-time", "time between booking and visit", [0]),
        ("attendance", "how earlier visits were kept", [1, 2, 3]),
        ("time-since-visit", "time since the last visit", [4]),
        ("weekday", "weekday", [5]),
        ("hour", "time of day", [6]),
        ("service", "kind of visit", [7]),
        ("reminders", "reminders sent", [8]),
    ];

    /// <param name="history">Before the visit.</param>
    /// <param name="usual">Share of missed visits of all patients.</param>
    /// <param name="serviceShare">Share of missed visits of this kind.</param>
    public static float[] Of(DecidedVisit visit, PatientHistory? history, double usual, double serviceShare) =>
    [
        visit.LeadDays ?? Unknown,
        history?.Visits ?? 0,
        (float)(history?.MissedShare(usual) ?? usual),
        history is null || history.Visits == 0 ? 0.5f : history.LastMissed ? 1 : 0,
        history?.Last is { } last ? (float)(visit.Start - last).TotalDays : Unknown,
        (int)visit.Weekday,
        visit.Hour,
        (float)serviceShare,
        visit.Reminders,
    ];
}
