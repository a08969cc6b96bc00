using System.Text.Json;
using FhirCore;
using FhirCore.Attendance;
using FhirStore;
using Forecasting.Series;
using Forecasting.Serving;

namespace Forecasting.NoShow;

/// <summary>What is said of one appointment.</summary>
/// <param name="Chance">That it is missed.</param>
/// <param name="Factors">What speaks for and against, strongest first: addition to the log-odds.</param>
internal sealed record RiskAnswer(NoShowModel Model, double Chance, bool IsHigh, IReadOnlyList<(string Code, string Text, double Addition)> Factors);

/// <summary>The risk that an appointment is missed, by the latest model.</summary>
internal sealed class NoShowRisk(ResourceStore store, LoadDirectory directory, VisitFacts facts, NoShowModels models, LoadOptions load, NoShowOptions options, TimeProvider clock) : INoShowRisk
{
    /// <summary>Of earlier visits those count that began so long before: what came later nobody can have known when the risk mattered.</summary>
    public static readonly TimeSpan KnownBefore = TimeSpan.FromDays(1);

    /// <summary>Older visits say little of today's patient.</summary>
    public static readonly TimeSpan LooksBack = TimeSpan.FromDays(2 * 366);

    private const int MostFactors = 3;

    public async ValueTask<NoShowEstimate?> OfAsync(ResourceKey appointment, CancellationToken ct) =>
        await store.ReadAsync(appointment, ct) is { Deleted: false } resource && await AnswerAsync(resource, ct) is { } answer ? new(answer.Chance, answer.IsHigh) : null;

    public async ValueTask<NoShowModel?> ModelAsync(CancellationToken ct) => options.NoShowRisk ? await models.LatestAsync(ct) : null;

    /// <returns>Null where nothing can be said.</returns>
    public async ValueTask<RiskAnswer?> AnswerAsync(StoredResource resource, CancellationToken ct)
    {
        if (await ModelAsync(ct) is not { IsServing: true } model)
        {
            return null;
        }
        var appointment = JsonElement.Parse(resource.Json.Span);
        return VisitFacts.IsAhead(appointment, clock.GetUtcNow()) && await facts.ReadAsync(resource, appointment, null, new(store, load), ct) is { } visit
            ? Answer(model, visit, await HistoryAsync(visit, ct))
            : null;
    }

    /// <summary>The chance for somebody who would take a time of this kind now: of a waitlist.</summary>
    public async ValueTask<double?> ChanceAsync(StoredResource resource, DateTimeOffset start, CancellationToken ct)
    {
        if (await ModelAsync(ct) is not { IsServing: true } model)
        {
            return null;
        }
        var appointment = JsonElement.Parse(resource.Json.Span);
        if (await facts.ReadAsync(resource, appointment, start, new(store, load), ct) is not { } asked)
        {
            return null;
        }
        var visit = asked with { LeadDays = Math.Max(0, (int)(start - clock.GetUtcNow()).TotalDays) };
        return model.Estimate(visit, await HistoryAsync(visit, ct)).Chance;
    }

    private RiskAnswer Answer(NoShowModel model, DecidedVisit visit, PatientHistory history)
    {
        var (chance, additions) = model.Estimate(visit, history);
        var factors = NoShowFeatures.Factors.Select(factor => (factor.Code, factor.Text, Addition: factor.Features.Sum(feature => additions[feature])))
            .Where(factor => Math.Abs(factor.Addition) >= 0.05).OrderByDescending(factor => Math.Abs(factor.Addition)).Take(MostFactors);
        return new(model, chance, chance >= options.HighRisk, [.. factors]);
    }

    private async ValueTask<PatientHistory> HistoryAsync(DecidedVisit visit, CancellationToken ct)
    {
        var (known, oldest) = (visit.Start - KnownBefore, visit.Start - LooksBack);
        var history = new PatientHistory();
        var visits = (await directory.SearchAsync("Appointment", "patient", $"Patient/{visit.Patient}", null, ct))
            .Select(entry => (Start: entry.Root.Instant("start"), Missed: VisitFacts.WasMissed(entry.Root)))
            .Where(before => before.Missed is not null && before.Start is { } start && start <= known && start >= oldest).OrderBy(before => before.Start);
        foreach (var (start, missed) in visits)
        {
            history.Add(start!.Value, missed!.Value);
        }
        return history;
    }
}
