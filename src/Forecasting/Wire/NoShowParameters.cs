using System.Text.Json;
using FhirCore;
using Forecasting.NoShow;

namespace Forecasting.Wire;

/// <summary>Answers about visits that may be missed.</summary>
internal static class NoShowParameters
{
    public const string FactorSystem = "urn:fhir-server:no-show-factor";

    public static ReadOnlyMemory<byte> Write(ResourceKey appointment, RiskAnswer answer) =>
        JsonAnswer.Parameters(["risk"], (json, name) => json.Parts(name, () =>
        {
            json.Reference("appointment", appointment, null);
            json.Part("chance", answer.Chance, 3);
            json.Part("high", answer.IsHigh);
            json.Part("usual", answer.Model.Rate, 3);
            foreach (var (code, text, addition) in answer.Factors)
            {
                json.Parts("factor", () =>
                {
                    json.Coding("code", FactorSystem, code, text);
                    json.Part("effect", "valueCode", addition > 0 ? "raises" : "lowers");
                    json.Part("logOdds", addition, 2);
                });
            }
            WriteModel(json, answer.Model);
        }));

    public static ReadOnlyMemory<byte> Write(ResourceKey schedule, IReadOnlyList<SessionAdvice> sessions, double limit, NoShowModel? model) =>
        JsonAnswer.Parameters(["overbooking"], (json, name) => json.Parts(name, () =>
        {
            json.Reference("schedule", schedule, null);
            json.Part("limit", limit, 3);
            json.Part("riskKnown", model is { IsServing: true });
            foreach (var session in sessions)
            {
                json.Parts("session", () =>
                {
                    json.Period("period", JsonAnswer.Instant(session.Start), JsonAnswer.Instant(session.End));
                    json.Part("slots", session.Slots);
                    json.Part("free", session.Free);
                    json.Part("booked", session.Booked);
                    json.Part("expectedToCome", session.ComingMean, 2);
                    json.Part("overflowChance", session.OverflowChance, 4);
                    json.Part("mayBook", session.MayBook);
                    json.Part("overbook", session.Overbook);
                });
            }
        }));

    /// <summary>A searchset in the order in which they should be asked; the score is the chance that they come.</summary>
    public static ReadOnlyMemory<byte> Write(IReadOnlyList<Waiting> waiting, string baseUrl) => JsonAnswer.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("resourceType", "Bundle");
        json.WriteString("type", "searchset");
        json.WriteNumber("total", waiting.Count);
        if (waiting.Count > 0)
        {
            json.WriteStartArray("entry");
            foreach (var one in waiting)
            {
                json.WriteStartObject();
                json.WriteString("fullUrl", $"{baseUrl}/{one.Appointment.Key}");
                json.WritePropertyName("resource");
                json.WriteRawValue(one.Appointment.Resource.Json.Span, skipInputValidation: true);
                json.WriteStartObject("search");
                json.WriteString("mode", "match");
                if (one.Coming is { } coming)
                {
                    json.WriteNumber("score", JsonAnswer.Decimal(coming, 3));
                }
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    });

    private static void WriteModel(Utf8JsonWriter json, NoShowModel model) => json.Parts("model", () =>
    {
        json.Part("number", model.Number);
        json.Part("method", "valueString", model.Scorer!.Name);
        json.Part("trained", "valueInstant", JsonAnswer.Instant(model.Trained));
        json.Part("visits", model.Decided);
        json.Part("auc", model.Reliability!.Auc, 3);
        json.Part("brier", model.Reliability.Brier, 4);
        json.Part("brierOfUsual", model.Reliability.BrierOfRate, 4);
        json.Part("calibrationError", model.Reliability.CalibrationError, 4);
    });
}
