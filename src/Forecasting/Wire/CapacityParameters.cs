using System.Text.Json;
using Forecasting.Serving;

namespace Forecasting.Wire;

/// <summary><c>$capacity</c> as a Parameters resource: one <c>capacity</c> for each subject, its weeks, and first of all the weeks that overflow.</summary>
internal static class CapacityParameters
{
    public static ReadOnlyMemory<byte> Write(IReadOnlyList<SubjectCapacity> capacities, LoadQuestion question) =>
        JsonAnswer.Parameters(capacities, (json, capacity) => json.Parts("capacity", () =>
        {
            ForecastParameters.WriteHead(json, capacity.Forecast, question.Percent);
            foreach (var week in capacity.Weeks.Where(week => week.Verdict == WeekVerdict.Overflow))
            {
                json.Part("overflow", "valueDate", JsonAnswer.Date(week.First));
            }
            foreach (var week in capacity.Weeks)
            {
                json.Parts("week", () => Write(json, week));
            }
        }));

    private static void Write(Utf8JsonWriter json, CapacityWeek week)
    {
        json.Period("period", JsonAnswer.Date(week.First), JsonAnswer.Date(week.First.AddDays(week.Days - 1)));
        json.Part("expected", week.Expected, 2);
        json.Part("lower", week.Lower, 2);
        json.Part("upper", week.Upper, 2);
        json.Part("booked", week.Booked);
        json.Part("slots", week.Slots.All);
        json.Part("free", week.Slots.Free);
        json.Part("verdict", "valueCode", week.Verdict.ToString().ToLowerInvariant());
    }
}
