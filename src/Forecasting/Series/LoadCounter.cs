using System.Text.Json;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore;
using FhirStore.Encryption;

namespace Forecasting.Series;

/// <summary>An appointment as it stands at one version.</summary>
/// <param name="Body">Opened JSON; null where it was deleted or its patient erased.</param>
/// <param name="At">When this version was written.</param>
/// <param name="IsErased">There is no version left to read: what lies behind stays counted, for nobody can be known by it.</param>
internal sealed record AppointmentVersion(ResourceKey Key, long Version, JsonElement? Body, DateTimeOffset At, bool IsErased = false);

/// <param name="Versions">One of each appointment.</param>
/// <param name="Again">Looks also at versions that are counted already: what they count for may have changed.</param>
internal sealed record CountRequest(IReadOnlyList<AppointmentVersion> Versions, bool Again = false)
{
    /// <summary>Says that the events are handled.</summary>
    public RecordWrite? Progress { get; init; }

    /// <summary>Everything is to be counted again.</summary>
    public bool WantsRecount { get; init; }

    /// <summary>How far a recount has come with this, and the version that its state was read at.</summary>
    public (RecountState State, long Version)? Step { get; init; }
}

/// <summary>
/// Brings what is counted of appointments to the versions they stand at: takes back exactly what was added before, adds what holds now,
/// in one commit with whatever else says that it is done. So it may be told anything twice, late, or in another order.
/// </summary>
internal sealed class LoadCounter(IRecordStore records, RecordCipher cipher, ResourceStore store, LoadRecords load, LoadOptions options)
{
    private const int MostAttempts = 100;

    private readonly VisitReader _visits = new(options);

    /// <summary>Opens a version that came with its event.</summary>
    public async ValueTask<AppointmentVersion> OpenAsync(ResourceEvent change, CancellationToken ct)
    {
        var body = change.Version is { Deleted: false } version ? JsonElement.Parse((await cipher.OpenAsync(version, ct)).Span) : (JsonElement?)null;
        return new(change.Change.Key, change.Change.Version, body, change.Change.At, IsErased: change is { Version: null, Change.Deleted: false });
    }

    /// <returns>How many appointments count otherwise than before.</returns>
    /// <exception cref="LaneLostException">Somebody else is at it: the progress, or the recount's state, stands at another version.</exception>
    public async Task<int> CountAsync(CountRequest request, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var plan = new CountPlan(load);
            var directory = new DirectoryView(store, options);
            foreach (var version in request.Versions)
            {
                await PlanAsync(version, request.Again, plan, directory, ct);
            }
            switch (await records.CommitAsync(await plan.ToCommitAsync(directory, request, ct), ct))
            {
                case CommitResult.Done:
                    return plan.Changed;
                case CommitResult.VersionConflict conflict when conflict.Key == request.Progress?.Record.Key || (request.Step is not null && conflict.Key == RecountState.Key):
                    throw new LaneLostException(conflict.Key.Id);
            }
            if (attempt == MostAttempts)
            {
                throw new StoreUnavailableException("The series are being written by others without pause.");
            }
        }
    }

    private async ValueTask PlanAsync(AppointmentVersion version, bool again, CountPlan plan, DirectoryView directory, CancellationToken ct)
    {
        var counted = await load.Counts.FindAsync(version.Key.Id, ct);
        if (counted is not null && (counted.Value.Version > version.Version || (counted.Value.Version == version.Version && !again)))
        {
            return;
        }
        if (version.Body is { } body)
        {
            var visits = await _visits.ReadAsync(body, await MadeAsync(version, ct), directory, ct);
            plan.Set(version, counted, visits);
        }
        else if (version.IsErased)
        {
            var today = DateOnly.FromDateTime(version.At.UtcDateTime).DayNumber;
            plan.Forget(counted, visit => visit.Day < today);
        }
        else
        {
            plan.Set(version, counted, []);
        }
    }

    private async ValueTask<DateTimeOffset> MadeAsync(AppointmentVersion version, CancellationToken ct) =>
        version.Version > 1 && await records.GetVersionAsync(version.Key, 1, ct) is { } first ? first.LastUpdated : version.At;
}
