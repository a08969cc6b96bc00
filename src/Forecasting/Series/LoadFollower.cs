using System.Diagnostics;
using System.Text.Json;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore.Encryption;

namespace Forecasting.Series;

/// <summary>Keeps the series up to date from change events; and has everything counted again where a place, role or schedule becomes another one.</summary>
internal sealed class LoadFollower(IRecordStore records, RecordCipher cipher, LoadCounter counter, LoadRecords load, LoadOptions options, LoadTally tally, TimeProvider clock) : IEventHandler
{
    /// <summary>So many at a time that what they are written in does not hold up others' commits.</summary>
    private const int MostEvents = 64;

    public static EventGroup Group { get; } = new("forecasting", ["Appointment", .. DirectoryFacts.Types]) { MostEvents = MostEvents };

    public async Task HandleAsync(EventBatch batch, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var began = Stopwatch.GetTimestamp();
        var versions = new Dictionary<ResourceKey, AppointmentVersion>();
        foreach (var change in batch.Events.Where(change => change.Change.Key.Type == "Appointment"))
        {
            if (!versions.TryGetValue(change.Change.Key, out var known) || known.Version < change.Change.Version)
            {
                versions[change.Change.Key] = await counter.OpenAsync(change, ct);
            }
        }
        await counter.CountAsync(new([.. versions.Values]) { Progress = batch.Progress, WantsRecount = await ChangesPastAsync(batch.Events, ct) }, ct);
        batch.Committed();
        tally.Count(versions.Count, LoadWork.Events);
        if (batch.Events.Length == MostEvents)
        {
            await Task.Delay(clock.GetElapsedTime(began), clock, ct); // there is more to come: as much time for others as was taken
        }
    }

    private async ValueTask<bool> ChangesPastAsync(IEnumerable<ResourceEvent> events, CancellationToken ct)
    {
        foreach (var change in events.Where(change => change.Change.Key.Type != "Appointment"))
        {
            if (await ChangesPastAsync(change, ct))
            {
                return true;
            }
        }
        return false;
    }

    private async ValueTask<bool> ChangesPastAsync(ResourceEvent change, CancellationToken ct)
    {
        var (key, version) = (change.Change.Key, change.Change.Version);
        if (version == 1)
        {
            return await load.Missing.FindAsync(load.MissingId(key), ct) is not null;
        }
        var before = await records.GetVersionAsync(key, version - 1, ct);
        return DirectoryFacts.Of(key, await OpenAsync(before, ct), options.BaseUrl) != DirectoryFacts.Of(key, await OpenAsync(change.Version, ct), options.BaseUrl);
    }

    private async ValueTask<JsonElement?> OpenAsync(StoredRecord? record, CancellationToken ct) =>
        record is { Deleted: false } ? JsonElement.Parse((await cipher.OpenAsync(record, ct)).Span) : null;
}
