using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Access;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Json;

namespace FhirStore.Writing;

/// <summary>Builds a plan, passes it through the rules, seals it and commits it; builds it again when what it read has changed meanwhile.</summary>
internal sealed class PlanCommitter(
    IRecordStore records, RecordCipher cipher, ResourceIndexer indexer, ImmutableArray<IWriteRule> rules, TimeProvider clock)
{
    /// <summary>Losing this often means that the same resource is written without pause; the caller may come back.</summary>
    private const int MostAttempts = 64;

    public async Task<Outcome<PlanResult<T>>> RunAsync<T>(
        Func<WritePlan> begin, Func<WritePlan, CancellationToken, ValueTask<Outcome<T>>> build, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var plan = begin();
            if (!(await build(plan, ct)).TryGet(out var value, out var failure))
            {
                return failure;
            }
            if (WriteReach.Check(plan) is { } forbidden)
            {
                return forbidden; // before the rules: what they say of slots and times is for who may write this at all
            }
            foreach (var rule in rules)
            {
                if (await rule.ApplyAsync(plan, ct) is { } refusal)
                {
                    return refusal;
                }
            }
            if (plan.Writes.Count == 0 && plan.InternalWrites.Count == 0)
            {
                return new PlanResult<T>(value, ImmutableDictionary<ResourceKey, StoredResource>.Empty);
            }
            var (commit, written) = await EncodeAsync(plan, ct);
            CommitResult result;
            try
            {
                result = await records.CommitAsync(commit, ct);
            }
            catch (RecordTooLargeException large)
            {
                return FhirFailure.Of(FailureKind.TooLarge, large.Key.Type[0] == '_'
                    ? $"What is to be stored takes more than the {large.Most} bytes that this server's database holds in one record."
                    : $"The {large.Key.Type} is too large to be stored: this server's database holds {large.Most} bytes of one resource, encrypted.");
            }
            switch (result)
            {
                case CommitResult.Done:
                    return new PlanResult<T>(value, written);
                case CommitResult.MatchFound found when RefusalOf(plan, found) is { } refusal:
                    return refusal;
            }
            if (attempt == MostAttempts)
            {
                return FhirFailure.Of(FailureKind.Conflict, "The resources of this request are being changed by others without pause. Send it again.", code: "lock-error") with
                {
                    RetryAfter = TimeSpan.FromSeconds(1),
                };
            }
            if (attempt > 4)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 2 * attempt)), clock, ct);
            }
        }
    }

    private static FhirFailure? RefusalOf(WritePlan plan, CommitResult.MatchFound found)
    {
        foreach (var (condition, refusal) in plan.Conditions)
        {
            if (ReferenceEquals(condition, found.Condition) && refusal is not null)
            {
                return refusal(found.Key);
            }
        }
        return null;
    }

    private async ValueTask<(Commit Commit, Dictionary<ResourceKey, StoredResource> Written)> EncodeAsync(WritePlan plan, CancellationToken ct)
    {
        var now = TruncateToMilliseconds(clock.GetUtcNow());
        var writes = ImmutableArray.CreateBuilder<RecordWrite>(plan.Writes.Count + plan.InternalWrites.Count + 1);
        var keyWrites = new List<RecordWrite>();
        var written = new Dictionary<ResourceKey, StoredResource>(plan.Writes.Count);
        foreach (var write in plan.Writes)
        {
            var expected = write.Previous?.Version ?? 0;
            var version = expected + 1;
            var at = write.Previous is { } previous && previous.LastUpdated > now ? previous.LastUpdated : now;
            if (write.Resource is not { } resource)
            {
                var place = PartitionOf(write.Key, write.Previous);
                written.Add(write.Key, new(write.Key, version, at, Deleted: true, default) { Partition = place });
                writes.Add(new(new() { Key = write.Key, Version = version, LastUpdated = at, Deleted = true, Partition = place }, expected, Journal: true, write.Cause));
                continue;
            }
            var json = CanonicalJson.Write(resource, write.Key.Id, version, at);
            var subject = indexer.SubjectOf(write.Key, resource);
            var index = indexer.Index(write.Key, at, resource);
            var body = await cipher.SealAsync(write.Key, version, at, subject, index, json, keyWrites, ct);
            var record = new StoredRecord
            {
                Key = write.Key,
                Version = version,
                LastUpdated = at,
                Partition = PartitionOf(write.Key, subject, resource),
                Body = body,
                Index = index,
            };
            written.Add(write.Key, new(write.Key, version, at, Deleted: false, json) { Partition = record.Partition });
            writes.Add(new(record, expected, Journal: true, write.Cause));
        }
        var stamps = SlotStamps.Of(plan, writes, indexer); // the first writes are the plan's, in its order
        if (plan.Writes.Exists(write => write.Key.Type == "Consent"))
        {
            stamps = stamps.Add(ConsentStamp.Name);
        }
        stamps = stamps.AddRange(plan.Stamps);
        writes.AddRange(keyWrites);
        writes.AddRange(plan.InternalWrites);
        var conditions = ImmutableArray.CreateBuilder<RecordCondition>(plan.ReadSet.Count + plan.Conditions.Count);
        foreach (var (key, seen) in plan.ReadSet)
        {
            conditions.Add(new RecordCondition.VersionIs(key, seen?.Version ?? 0));
        }
        foreach (var (condition, _) in plan.Conditions)
        {
            conditions.Add(condition);
        }
        return (new(writes.DrainToImmutable(), conditions.MoveToImmutable(), []) { Stamps = stamps }, written);
    }

    /// <summary>A tombstone lies where the resource lay: whoever follows the patient's or the schedule's changes sees the deletion among them.</summary>
    private string PartitionOf(ResourceKey key, StoredResource? previous)
    {
        if (previous is not { Deleted: false })
        {
            return key.Id;
        }
        using var resource = JsonDocument.Parse(previous.Json);
        return PartitionOf(key, indexer.SubjectOf(key, resource.RootElement), resource.RootElement);
    }

    /// <summary>Patient data lives with its patient, slots with their schedule, everything else by its own id.</summary>
    private static string PartitionOf(ResourceKey key, string? subject, JsonElement resource)
    {
        if (subject is not null)
        {
            return subject;
        }
        if (key.Type == "Slot" && resource.TryGetProperty("schedule", out var schedule) && schedule.TryGetProperty("reference", out var reference)
            && ResourceKey.TryParse(reference.GetString(), out var target) && target.Type == "Schedule")
        {
            return target.Id;
        }
        return key.Id;
    }

    private static DateTimeOffset TruncateToMilliseconds(DateTimeOffset instant) =>
        new(instant.UtcTicks - instant.UtcTicks % TimeSpan.TicksPerMillisecond, TimeSpan.Zero);
}
