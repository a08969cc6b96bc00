using NodaTime;

namespace FhirServer.Demo;

/// <summary>
/// How busy the demo's practitioners are, and who keeps their visits: the shape that forecasts are to find again. Weekdays, a yearly wave
/// of each service, growth or decline; visits are missed the more the longer ago they were booked, by some patients more than by others.
/// </summary>
internal static class DemoLoad
{
    /// <summary>Share of times taken two years ago and today, by practitioner's number.</summary>
    private static readonly (double Then, double Now)[] Practitioners =
    [
        (0.66, 1.04), (0.52, 0.55), (0.55, 0.62), (0.48, 0.40), (0.44, 0.46), (0.38, 0.33), (0.46, 0.58), (0.60, 0.57), (0.30, 0.40), (0.50, 0.50), (0.42, 0.52), (0.34, 0.32),
    ];

    /// <summary>Monday first.</summary>
    private static readonly double[] Weekdays = [1.14, 1.05, 0.97, 1.00, 0.86, 0.92, 0.84];

    /// <summary>How much the wave lifts its best day, and which day of the year that is.</summary>
    private static (double Height, int Day) WaveOf(DemoService service) =>
        service == DemoSites.General ? (0.18, 30) : service == DemoSites.Paediatrics ? (0.22, 345) : service == DemoSites.Dermatology ? (0.16, 175) : (0.05, 60);

    /// <summary>Chance that a time of this day is asked for.</summary>
    /// <param name="age">Years before today; below zero ahead.</param>
    public static double Share(DemoPractitioner practitioner, LocalDate day, double age)
    {
        var (then, now) = Practitioners[practitioner.Number - 1];
        var trend = now + ((then - now) * age / 2);
        var (height, best) = WaveOf(practitioner.Service);
        var wave = 1 + (height * Math.Cos(2 * Math.PI * (day.DayOfYear - best) / 365.25));
        return trend * Weekdays[(int)day.DayOfWeek - 1] * wave;
    }

    /// <summary>Above this share of a day's times more people ask than there are times: they are put on the waitlist.</summary>
    public const double Full = 0.88;

    /// <summary>Mornings fill first.</summary>
    public static double OfHour(int hour) => hour switch
    {
        < 7 => 0.7,
        < 11 => 1.15,
        < 14 => 1.0,
        < 17 => 0.95,
        _ => 0.85,
    };

    /// <summary>Whole days between booking and visit: a third within a day or two, some months ahead.</summary>
    public static int LeadDays(DemoRandom random) => random.Below(100) switch
    {
        < 18 => 0,
        < 34 => 1 + random.Below(2),
        < 75 => 3 + random.Below(19),
        _ => 22 + random.Below(60),
    };

    /// <summary>Chance that a visit is missed. One patient in six is forgetful.</summary>
    public static double MissedShare(int leadDays, bool isForgetful, LocalDateTime at)
    {
        var odds = -3.4 + (0.55 * Math.Log(1 + leadDays)) + (isForgetful ? 1.7 : -0.2) + (at.DayOfWeek == IsoDayOfWeek.Monday ? 0.25 : 0) + (at.Hour < 9 ? 0.3 : 0);
        return 1 / (1 + Math.Exp(-odds));
    }
}
