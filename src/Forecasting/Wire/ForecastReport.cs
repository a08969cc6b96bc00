using System.Text.Json;
using Forecasting.Serving;

namespace Forecasting.Wire;

/// <summary>
/// Forecasts as MeasureReports, https://hl7.org/fhir/R4/measurereport.html: three groups (expected, lower, upper), each a stratum for every
/// day, week or hour. Several are a collection Bundle.
/// </summary>
internal static class ForecastReport
{
    private const string PeriodCodes = "urn:fhir-server:forecast-period";
    private const string GroupCodes = "urn:fhir-server:forecast-value";

    public static ReadOnlyMemory<byte> Write(IReadOnlyList<SubjectForecast> forecasts, LoadQuestion question, bool isInstance) => JsonAnswer.Write(json =>
    {
        if (isInstance && forecasts.Count == 1)
        {
            Write(json, forecasts[0], question);
            return;
        }
        json.WriteStartObject();
        json.WriteString("resourceType", "Bundle");
        json.WriteString("type", "collection");
        if (forecasts.Count > 0) // an empty array is no FHIR
        {
            json.WriteStartArray("entry");
            foreach (var forecast in forecasts)
            {
                json.WriteStartObject();
                json.WriteString("fullUrl", $"urn:uuid:{NameUuid.Of(forecast.Subject.Name)}");
                json.WritePropertyName("resource");
                Write(json, forecast, question);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter json, SubjectForecast forecast, LoadQuestion question)
    {
        var points = ForecastPoints.Of(forecast, question.Granularity, question.Horizon, question.Percent).ToList();
        var zone = forecast.Subject.Zone;
        json.WriteStartObject();
        json.WriteString("resourceType", "MeasureReport");
        json.WriteStartArray("extension");
        Extension(json, "method", () => json.WriteString("valueString", forecast.Forecast.Method));
        Extension(json, "confidence", () => json.WriteNumber("valueDecimal", question.Percent / 100m));
        Extension(json, "trusted", () => json.WriteBoolean("valueBoolean", forecast.IsTrusted));
        json.WriteEndArray();
        json.WriteString("status", "complete");
        json.WriteString("type", "summary");
        json.WriteString("measure", $"urn:fhir-server:measure:load-{forecast.Measure.ToString().ToLowerInvariant()}");
        json.WriteStartObject("subject");
        JsonAnswer.Reference(json, forecast.Subject.Key, forecast.Subject.Title);
        json.WriteEndObject();
        json.WriteString("date", JsonAnswer.Instant(forecast.Made));
        json.WriteStartObject("period");
        json.WriteString("start", JsonAnswer.Date(forecast.Today));
        json.WriteString("end", JsonAnswer.Date(forecast.Today.AddDays(question.Horizon - 1)));
        json.WriteEndObject();
        json.WriteStartArray("group");
        Group(json, "expected", points.Sum(point => point.Value), points.ConvertAll(point => (PointTimes.Start(point, zone), point.Value)), question.Granularity);
        Group(json, "lower", null, points.ConvertAll(point => (PointTimes.Start(point, zone), point.Lower)), question.Granularity);
        Group(json, "upper", null, points.ConvertAll(point => (PointTimes.Start(point, zone), point.Upper)), question.Granularity);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <param name="total">Null where values do not sum: ends of intervals.</param>
    private static void Group(Utf8JsonWriter json, string code, double? total, IReadOnlyCollection<(string Start, double Value)> values, Granularity granularity)
    {
        json.WriteStartObject();
        Concept(json, "code", GroupCodes, code);
        if (total is { } sum)
        {
            Score(json, sum);
        }
        if (values.Count == 0)
        {
            json.WriteEndObject();
            return; // hours in which nobody ever comes are left out, and an empty array is no FHIR
        }
        json.WriteStartArray("stratifier");
        json.WriteStartObject();
        json.WriteStartArray("code");
        Concept(json, null, PeriodCodes, granularity.ToString().ToLowerInvariant());
        json.WriteEndArray();
        json.WriteStartArray("stratum");
        foreach (var (start, value) in values)
        {
            json.WriteStartObject();
            json.WriteStartObject("value");
            json.WriteString("text", start);
            json.WriteEndObject();
            Score(json, value);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Score(Utf8JsonWriter json, double value)
    {
        json.WriteStartObject("measureScore");
        json.WriteNumber("value", JsonAnswer.Decimal(value, 2));
        json.WriteEndObject();
    }

    private static void Concept(Utf8JsonWriter json, string? name, string system, string code)
    {
        if (name is not null)
        {
            json.WritePropertyName(name);
        }
        json.WriteStartObject();
        json.WriteStartArray("coding");
        json.WriteStartObject();
        json.WriteString("system", system);
        json.WriteString("code", code);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Extension(Utf8JsonWriter json, string name, Action value)
    {
        json.WriteStartObject();
        json.WriteString("url", $"urn:fhir-server:forecast-{name}");
        value();
        json.WriteEndObject();
    }
}
