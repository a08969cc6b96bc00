using System.Text.Json;
using FhirCore.Records;
using FhirStore;
using FhirStore.Encryption;
using Forecasting.Series;
using Forecasting.Serving;

namespace Forecasting.NoShow;

/// <summary>Learns the risk anew when it is time: walks all appointments in small steps, then computes on the thread that gives way.</summary>
internal sealed class NoShowTraining(
    IRecordStore records, RecordCipher cipher, ResourceStore store, VisitFacts facts, NoShowModels models, LoadOptions load, NoShowOptions options, ForecastThread thread, TimeProvider clock)
{
    private const int PageSize = 64;

    /// <summary>More would take memory, and change little.</summary>
    private const int MostVisits = 300_000;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    /// <summary>While there is too little to learn from, it is looked at this often.</summary>
    private static readonly TimeSpan AgainAfter = TimeSpan.FromHours(1);

    /// <param name="isBehind">Events wait: more visits are on their way.</param>
    /// <param name="done">Told of each model.</param>
    public async Task RunAsync(Func<CancellationToken, ValueTask<bool>> isBehind, Action<NoShowSummary> done, CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(LookEvery, clock, ct);
            var latest = await models.LatestAsync(ct);
            var age = clock.GetUtcNow() - (latest?.Trained ?? DateTimeOffset.MinValue);
            if (age < (latest is { IsServing: true } ? options.TrainEvery : AgainAfter) || await isBehind(ct))
            {
                continue;
            }
            if (await TrainAsync(ct) is { } model)
            {
                done(NoShowSummary.Of(model));
            }
        }
    }

    /// <returns>Null where another process was first.</returns>
    public async Task<NoShowModel?> TrainAsync(CancellationToken ct)
    {
        var visits = await VisitsAsync(ct);
        var number = ((await models.LatestAsync(ct))?.Number ?? 0) + 1;
        var model = await thread.RunAsync(() => NoShowTrainer.Train(visits, number, clock.GetUtcNow()), ct);
        return await models.TryPutAsync(model, ct) ? model : null;
    }

    private async Task<List<DecidedVisit>> VisitsAsync(CancellationToken ct)
    {
        var oldest = clock.GetUtcNow() - NoShowRisk.LooksBack;
        var visits = new List<DecidedVisit>();
        RecordCursor? after = null;
        do
        {
            var began = clock.GetTimestamp();
            var directory = new DirectoryView(store, load);
            var page = await records.QueryAsync(new("Appointment", Predicate.Everything, RecordOrder.ById, after, PageSize), ct);
            foreach (var record in page.Records)
            {
                var root = JsonElement.Parse((await cipher.OpenAsync(record, ct)).Span);
                if (VisitFacts.WasMissed(root) is not null && root.Instant("start") is { } start && start >= oldest && start <= clock.GetUtcNow()
                    && await facts.ReadAsync(new(record.Key, record.Version, record.LastUpdated, false, default), root, null, directory, ct) is { } visit)
                {
                    visits.Add(visit);
                }
            }
            after = page.Next;
            await Task.Delay(clock.GetElapsedTime(began), clock, ct); // as much time for others as was taken
        }
        while (after is not null && visits.Count < MostVisits);
        return visits;
    }
}

/// <summary>What a training came to, for the log and the metrics: figures about all, nothing about anybody.</summary>
/// <param name="Refused">Why it is not used; null where it is.</param>
public sealed record NoShowSummary(int Number, DateTimeOffset Trained, int Decided, int Missed, string? Method, string? Refused, Reliability? Reliability)
{
    internal static NoShowSummary Of(NoShowModel model) => new(model.Number, model.Trained, model.Decided, model.Missed, model.Scorer?.Name, model.Refused, model.Reliability);
}
