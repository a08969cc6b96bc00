using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Forecasting.NoShow;

/// <summary>What was learned at one time, and how good it was.</summary>
/// <param name="Number">From 1, one more with each training.</param>
/// <param name="Decided">Visits with a known outcome that were there.</param>
/// <param name="Missed">Of them.</param>
/// <param name="Refused">Why it is not used; null where it is.</param>
/// <param name="Rate">Share of missed visits.</param>
/// <param name="ServiceRates">The same by kind of visit.</param>
/// <param name="Reliability">Measured on the latest visits, with a model that had not seen them.</param>
internal sealed record NoShowModel(
    int Number, DateTimeOffset Trained, int Decided, int Missed, string? Refused, double Rate, ImmutableDictionary<string, double> ServiceRates, RiskScorer? Scorer,
    Calibration Calibration, Reliability? Reliability)
{
    /// <summary>Weight of the usual rate beside a kind of visit's own.</summary>
    private const double ServiceDoubt = 50;

    [JsonIgnore]
    public bool IsServing => Refused is null && Scorer is not null;

    /// <param name="history">Of the patient, before the visit.</param>
    /// <returns>The chance that it is missed, and what each feature adds to its log-odds.</returns>
    public (double Chance, double[] Additions) Estimate(DecidedVisit visit, PatientHistory? history)
    {
        var additions = new double[NoShowFeatures.Count];
        var score = Scorer!.Score(NoShowFeatures.Of(visit, history, Rate, ServiceRates.GetValueOrDefault(visit.Service, Rate)), additions);
        for (var i = 0; i < additions.Length; i++)
        {
            additions[i] *= Calibration.Slope;
        }
        return (Calibration.Chance(score), additions);
    }

    internal static ImmutableDictionary<string, double> RatesOf(IEnumerable<DecidedVisit> visits, double rate) =>
        visits.GroupBy(visit => visit.Service, StringComparer.Ordinal).ToImmutableDictionary(
            kind => kind.Key, kind => (kind.Count(visit => visit.Missed) + (ServiceDoubt * rate)) / (kind.Count() + ServiceDoubt), StringComparer.Ordinal);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NoShowModel))]
internal sealed partial class NoShowJson : JsonSerializerContext;
