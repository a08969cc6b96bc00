using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Forecasting.Daily;

namespace Forecasting.Serving;

/// <summary>A forecast as it is kept, so that the same series is not computed twice.</summary>
/// <param name="Fingerprint">Of everything it was made from.</param>
/// <param name="First">Its first day, as <see cref="DateOnly.DayNumber"/>.</param>
/// <param name="Values">Expected counts, one a day.</param>
/// <param name="Closed">Indexes of closed days.</param>
internal sealed record StoredForecast(
    string Fingerprint, DateTimeOffset Made, int First, ImmutableArray<double> Values, ImmutableArray<int> Closed, string Method, Doubts Doubts, double? Mase, double? MeanMase,
    ImmutableDictionary<string, double> Weights, IntervalTable DayWidths, IntervalTable WeekWidths)
{
    /// <summary>A thousandth of a visit is nobody.</summary>
    private const int Digits = 3;

    public static StoredForecast Of(DailyForecast forecast, string fingerprint, DateTimeOffset made) => new(
        fingerprint, made, forecast.Days[0].Day.DayNumber, [.. forecast.Days.Select(day => Math.Round(day.Value, Digits))],
        [.. forecast.Days.Index().Where(day => !day.Item.IsOpen).Select(day => day.Index)], forecast.Method, forecast.Doubts, forecast.Mase, forecast.MeanMase,
        forecast.Weights.ToImmutableDictionary(), Rounded(forecast.DayWidths), Rounded(forecast.WeekWidths));

    public DailyForecast ToForecast()
    {
        var closed = Closed.ToHashSet();
        return new(Method, [.. Values.Select((value, i) => new ForecastDay(DateOnly.FromDayNumber(First + i), value, !closed.Contains(i)))], Doubts)
        {
            Mase = Mase,
            MeanMase = MeanMase,
            Weights = Weights,
            DayWidths = DayWidths,
            WeekWidths = WeekWidths,
        };
    }

    private static IntervalTable Rounded(IntervalTable table) => table with { Factors = [.. table.Factors.Select(row => row.Select(factor => Math.Round(factor, Digits)).ToArray())] };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredForecast))]
internal sealed partial class ForecastJson : JsonSerializerContext;
