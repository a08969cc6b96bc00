using Forecasting.NoShow;

namespace Forecasting.Tests.NoShow;

/// <summary>Visits whose true chance of being missed is known.</summary>
internal static class SimulatedClinic
{
    private static readonly DateTimeOffset Begin = new(2028, 1, 3, 0, 0, 0, TimeSpan.Zero);

    /// <param name="odds">Log-odds from lead time in days, whether the patient is forgetful, and the hour.</param>
    public static (List<DecidedVisit> Visits, List<double> Chances) Visits(int count, int patients, int seed, Func<int, bool, int, double> odds)
    {
        var random = new Random(seed);
        var (visits, chances) = (new List<DecidedVisit>(count), new List<double>(count));
        for (var i = 0; i < count; i++)
        {
            var patient = random.Next(patients);
            var start = Begin.AddHours((24 * (i * 700L / count)) + 8 + random.Next(9));
            var lead = random.Next(3) == 0 ? random.Next(2) : random.Next(60);
            var chance = 1 / (1 + Math.Exp(-odds(lead, patient % 5 == 0, start.Hour)));
            visits.Add(new($"p{patient}", start, start.DayOfWeek, start.Hour, lead, i % 3 == 0 ? "a" : "b", 0, random.NextDouble() < chance));
            chances.Add(chance);
        }
        return (visits, chances);
    }

    public static double Usual(int lead, bool isForgetful, int hour) => -3.2 + (0.5 * Math.Log(1 + lead)) + (isForgetful ? 1.8 : 0) + (hour < 9 ? 0.4 : 0);
}
