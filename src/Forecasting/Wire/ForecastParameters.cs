using System.Text.Json;
using Forecasting.Serving;

namespace Forecasting.Wire;

/// <summary>Forecasts as a Parameters resource: one <c>forecast</c> for each subject, a <c>point</c> for each day, week or hour.</summary>
internal static class ForecastParameters
{
    public static ReadOnlyMemory<byte> Write(IReadOnlyList<SubjectForecast> forecasts, LoadQuestion question) =>
        JsonAnswer.Parameters(forecasts, (json, forecast) => json.Parts("forecast", () => Write(json, forecast, question)));

    /// <summary>What is said of a forecast beside its points.</summary>
    public static void WriteHead(Utf8JsonWriter json, SubjectForecast forecast, int percent)
    {
        var (subject, made) = (forecast.Subject, forecast.Forecast);
        json.Reference("subject", subject.Key, subject.Title);
        if (subject.Within is { } whole)
        {
            json.Reference("within", whole, null);
        }
        json.Part("measure", "valueCode", forecast.Measure.ToString().ToLowerInvariant());
        json.Part("confidence", percent / 100.0, 2);
        json.Part("timeZone", "valueCode", subject.Zone.Id);
        json.Part("made", "valueInstant", JsonAnswer.Instant(forecast.Made));
        json.Part("historyDays", forecast.HistoryDays);
        json.Part("method", "valueString", made.Method);
        if (made is { Mase: { } mase, MeanMase: { } mean })
        {
            json.Part("mase", mase, 3);
            json.Part("maseOfWeekdayMean", mean, 3);
            json.Part("beatsWeekdayMean", mase < mean);
        }
        json.Part("trusted", forecast.IsTrusted);
        foreach (var (code, text) in DoubtTexts.Of(made.Doubts).Concat(forecast.LacksOutcomes ? [DoubtTexts.LacksOutcomes] : []))
        {
            json.Coding("doubt", DoubtTexts.System, code, text);
        }
    }

    private static void Write(Utf8JsonWriter json, SubjectForecast forecast, LoadQuestion question)
    {
        WriteHead(json, forecast, question.Percent);
        json.Part("granularity", "valueCode", question.Granularity.ToString().ToLowerInvariant());
        if (forecast.MeanLead is { } lead)
        {
            json.Part("meanLeadDays", lead, 1);
        }
        foreach (var point in ForecastPoints.Of(forecast, question.Granularity, question.Horizon, question.Percent))
        {
            json.Parts("point", () =>
            {
                json.Period("period", PointTimes.Start(point, forecast.Subject.Zone), PointTimes.End(point, forecast.Subject.Zone));
                json.Part("expected", point.Value, 2);
                json.Part("lower", point.Lower, 2);
                json.Part("upper", point.Upper, 2);
                json.Part("open", point.IsOpen);
                json.Part("booked", point.Booked);
            });
        }
    }
}
