using System.Text.Json;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore.Encryption;

namespace Forecasting.Series;

/// <summary>
/// Counts everything again from what is in the store, in small steps, while events go on: first every appointment that there is, then what
/// was counted of those that are gone. A step is committed with how far it has come, so a killed recount goes on where it was.
/// </summary>
internal sealed class Recount(IRecordStore records, RecordCipher cipher, LoadCounter counter, LoadRecords load, LoadTally tally, TimeProvider clock)
{
    private const int StepSize = 32;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    /// <summary>Recounts whenever there is a cause, until cancelled.</summary>
    /// <param name="done">Told after each whole recount.</param>
    public async Task RunAsync(Action done, CancellationToken ct)
    {
        while (true)
        {
            var began = clock.GetTimestamp();
            switch (await StepAsync(ct))
            {
                case StepResult.Nothing:
                    await Task.Delay(LookEvery, clock, ct);
                    break;
                case StepResult.Done:
                    tally.Recounted();
                    done();
                    break;
                default:
                    await Task.Delay(clock.GetElapsedTime(began), clock, ct);
                    break;
            }
        }
    }

    public enum StepResult
    {
        /// <summary>There is no cause.</summary>
        Nothing,
        More,
        Done,
    }

    public async Task<StepResult> StepAsync(CancellationToken ct)
    {
        var stored = await load.Recounts.FindAsync(RecountState.Id, ct);
        var (state, version) = (stored?.Value ?? RecountState.First, stored?.Version ?? 0);
        if (state.Running == 0)
        {
            if (state.Wanted == state.Done)
            {
                return StepResult.Nothing;
            }
            state = state with { Running = state.Wanted, Deletions = false, After = null };
        }
        var type = state.Deletions ? LoadRecords.CountType : "Appointment";
        var page = await records.QueryAsync(new(type, Predicate.Everything, RecordOrder.ById, state.After is { } after ? new(default, after) : null, StepSize), ct);
        var versions = new List<AppointmentVersion>(page.Records.Count);
        foreach (var record in page.Records)
        {
            if (state.Deletions)
            {
                await AddIfGoneAsync(record.Key.Id, versions, ct);
            }
            else
            {
                versions.Add(new(record.Key, record.Version, JsonElement.Parse((await cipher.OpenAsync(record, ct)).Span), record.LastUpdated));
            }
        }
        var then = page.Next is not null ? state with { After = page.Records[^1].Key.Id }
            : !state.Deletions ? state with { Deletions = true, After = null }
            : state with { Done = state.Running, Running = 0, Deletions = false, After = null };
        try
        {
            await counter.CountAsync(new(versions, Again: true) { Step = (then, version) }, ct);
        }
        catch (LaneLostException)
        {
            return StepResult.More; // the state has moved: another cause, or another process
        }
        tally.Count(versions.Count, LoadWork.Recount);
        return then.Running == 0 ? StepResult.Done : StepResult.More;
    }

    private async ValueTask AddIfGoneAsync(string id, List<AppointmentVersion> versions, CancellationToken ct)
    {
        var key = new ResourceKey("Appointment", id);
        var current = await records.GetAsync(key, ct);
        if (current is null or { Deleted: true })
        {
            versions.Add(new(key, current?.Version ?? long.MaxValue, null, current?.LastUpdated ?? clock.GetUtcNow(), IsErased: current is null));
        }
    }
}
