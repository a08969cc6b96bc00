using FhirCore;
using FhirStore.Access;
using Forecasting.Hierarchy;
using Forecasting.Series;

namespace Forecasting.Serving;

/// <summary>Who asks, and about what.</summary>
/// <param name="Id">Null for all of the type.</param>
/// <param name="Caller">What they may read; null is not limited.</param>
internal sealed record LoadCall(string Type, string? Id, FiguresReach Figures, ICaller? Caller);

/// <summary><c>$forecast</c>: the load ahead of one subject, of its parts, or of all of a type.</summary>
internal sealed class LoadAnswers(LoadDirectory directory, SubjectReader subjects, FiguresAccess access, ForecastBook book, PartReader parts)
{
    /// <summary>More in one answer would take long, and nobody would read it.</summary>
    private const int MostSubjects = 200;

    public async Task<Outcome<IReadOnlyList<SubjectForecast>>> ForecastAsync(LoadCall call, LoadQuestion question, CancellationToken ct)
    {
        if (!(await SubjectsAsync(call, ct)).TryGet(out var found, out var failure))
        {
            return failure;
        }
        var forecasts = new List<SubjectForecast>(found.Count);
        foreach (var subject in found)
        {
            forecasts.Add(await book.GetAsync(subject, question.Measure, ct));
        }
        if (question.Parts is not { } type)
        {
            return forecasts;
        }
        if (!(await parts.ReadAsync(forecasts[0], type, ct)).TryGet(out var all, out failure))
        {
            return failure;
        }
        var tree = new LoadNode("", forecasts[0].Forecast, [.. all.Select(part => new LoadNode("", part.Forecast, []))]).Reconciled();
        return (List<SubjectForecast>)[forecasts[0] with { Forecast = tree.Forecast }, .. all.Zip(tree.Parts, (part, node) => part with { Forecast = node.Forecast })];
    }

    public async Task<Outcome<IReadOnlyList<LoadSubject>>> SubjectsAsync(LoadCall call, CancellationToken ct)
    {
        if (call.Id is { } id)
        {
            var entry = await directory.ReadAsync(new(call.Type, id), ct);
            if (entry is null || call.Caller?.Reach(Use.Read, call.Type).Admits(entry.Resource) is false)
            {
                return FhirFailure.Of(FailureKind.NotFound, $"{call.Type}/{id} does not exist.");
            }
            return await access.AdmitsAsync(call.Figures, entry, ct)
                ? (LoadSubject[])[await subjects.ReadAsync(entry, ct)]
                : FhirFailure.Of(FailureKind.Forbidden, $"The figures of this {call.Type} are for the managers of its organization, and for the practitioner whose own they are.");
        }
        var found = new List<LoadSubject>();
        foreach (var entry in await directory.SearchAsync(call.Type, null, null, call.Caller, ct))
        {
            if (entry.Root.Of("active") is { ValueKind: System.Text.Json.JsonValueKind.False } || !await access.AdmitsAsync(call.Figures, entry, ct))
            {
                continue;
            }
            if (found.Count == MostSubjects)
            {
                return FhirFailure.Of(FailureKind.Unprocessable, $"There are more than {MostSubjects} {call.Type} resources within reach; ask for them one by one.", code: "too-costly");
            }
            found.Add(await subjects.ReadAsync(entry, ct));
        }
        return found;
    }
}
