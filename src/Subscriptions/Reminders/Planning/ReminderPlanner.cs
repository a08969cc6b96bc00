using System.Collections.Immutable;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore.Sealed;
using Subscriptions.Reminders.People;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Planning;

/// <summary>
/// Follows changes and keeps every appointment's plan in step with it. A plan is committed together with how far the events are handled, and
/// only while the appointment, the patient and the places stand at the versions it was made for: whoever follows their change meanwhile
/// does not see this plan yet.
/// </summary>
internal sealed class ReminderPlanner(ReminderRecords records, VisitPlanner visits, DigestPlanner digests, House house, ChangeSignal due, ReminderOptions options, TimeProvider clock) : IEventHandler
{
    public const string GroupName = "reminders";

    /// <summary>Appointments planned in one commit. Each may be some ten records.</summary>
    private const int MostAtOnce = 64;

    private const int MostAttempts = 20;

    public static EventGroup Group { get; } =
        new(GroupName, ["Appointment", "HealthcareService", "Location", "Patient", "Practitioner", "PractitionerRole"]) { MostEvents = MostAtOnce };

    /// <summary>What was written in bulk is not told as news: people know it from where it comes from.</summary>
    private static readonly ImmutableArray<string> SilentCauses = ["import", "demo"];

    private readonly record struct Work(DateTimeOffset At, bool IsNews);

    public async Task HandleAsync(EventBatch batch, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var now = clock.GetUtcNow();
        var began = await records.BeganAsync(now, ct);
        var appointments = new Dictionary<string, Work>(StringComparer.Ordinal);
        var sources = new HashSet<ResourceKey>();
        var askers = new HashSet<ResourceKey>();
        foreach (var change in batch.Events.Select(happened => happened.Change))
        {
            switch (change.Key.Type)
            {
                case "Appointment":
                    var isNews = change.At >= began && now - change.At <= options.NoticeWithin && !SilentCauses.Contains(change.Cause);
                    appointments[change.Key.Id] = new(change.At > began ? change.At : began, isNews || (appointments.TryGetValue(change.Key.Id, out var earlier) && earlier.IsNews));
                    break;
                case "Practitioner" or "PractitionerRole":
                    house.Forget(change.Key);
                    askers.Add(change.Key);
                    break;
                default:
                    house.Forget(change.Key);
                    if (change.Version > 1)
                    {
                        sources.Add(change.Key); // before its first version no plan can rest on it
                    }
                    break;
            }
        }
        foreach (var source in sources)
        {
            await PlanRestingOnAsync(source, appointments, ct);
        }
        await CommitAsync(appointments, askers, batch, ct);
    }

    /// <summary>A place or a service may have thousands of visits to come: they are planned in commits of their own, which may be repeated.</summary>
    private async Task PlanRestingOnAsync(ResourceKey source, Dictionary<string, Work> alsoPlanned, CancellationToken ct)
    {
        var chunk = new Dictionary<string, Work>(StringComparer.Ordinal);
        await foreach (var plan in records.Plans.QueryAsync(records.RestingOn(source.ToString()), ct))
        {
            if (!alsoPlanned.ContainsKey(plan.Value.Appointment))
            {
                chunk[plan.Value.Appointment] = new(clock.GetUtcNow(), IsNews: false);
            }
            if (chunk.Count == MostAtOnce)
            {
                await CommitAsync(chunk, [], null, ct);
                chunk.Clear();
            }
        }
        await CommitAsync(chunk, [], null, ct);
    }

    private async Task CommitAsync(Dictionary<string, Work> appointments, HashSet<ResourceKey> askers, EventBatch? batch, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var changes = new List<PlanChange>(appointments.Count);
            foreach (var (appointment, work) in appointments)
            {
                if (await visits.MakeAsync(appointment, work.At, work.IsNews, ct) is { IsEmpty: false } change)
                {
                    changes.Add(change);
                }
            }
            foreach (var asker in askers)
            {
                if (await digests.MakeAsync(asker, ct) is { IsEmpty: false } change)
                {
                    changes.Add(change);
                }
            }
            if (changes.Count == 0)
            {
                return; // the log moves the progress
            }
            var result = await records.Store.CommitAsync(await EncodeAsync(changes, batch, ct), ct);
            if (result is CommitResult.Done)
            {
                batch?.Committed();
                due.Pulse();
                return;
            }
            if (result is CommitResult.VersionConflict conflict && conflict.Key == batch?.Progress.Record.Key)
            {
                throw new LaneLostException(batch.Lane);
            }
            if (result is CommitResult.VersionConflict { Key: var changed })
            {
                house.Forget(changed);
            }
            if (attempt == MostAttempts)
            {
                throw new InvalidOperationException("The appointments of this batch are being changed without pause.");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 5 * attempt)), clock, ct);
        }
    }

    private async ValueTask<Commit> EncodeAsync(List<PlanChange> changes, EventBatch? batch, CancellationToken ct)
    {
        var keyWrites = new List<RecordWrite>();
        var writes = ImmutableArray.CreateBuilder<RecordWrite>();
        var conditions = ImmutableArray.CreateBuilder<RecordCondition>();
        var removals = ImmutableArray.CreateBuilder<ResourceKey>();
        conditions.AddRange(changes.SelectMany(change => change.Sources).Distinct().Select(source => new RecordCondition.VersionIs(source.Key, source.Version)));
        foreach (var change in changes)
        {
            conditions.Add(new RecordCondition.VersionIs(change.Appointment, change.Version));
            if (change.Plan is { } plan)
            {
                writes.Add(await records.Plans.SealAsync(plan.Id, plan.Plan, plan.Expected, keyWrites, ct));
            }
            foreach (var (id, message, expected) in change.Messages)
            {
                writes.Add(await records.Messages.SealAsync(id, message, expected, keyWrites, ct));
            }
            foreach (var (id, version) in change.Removed)
            {
                var key = new ResourceKey(ReminderRecords.MessageType, id);
                conditions.Add(new RecordCondition.VersionIs(key, version));
                removals.Add(key);
            }
        }
        writes.AddRange(keyWrites);
        if (batch is not null)
        {
            writes.Add(batch.Progress);
        }
        return new(writes.DrainToImmutable(), conditions.DrainToImmutable(), removals.DrainToImmutable());
    }
}
