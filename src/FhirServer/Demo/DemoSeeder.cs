using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using FhirStore;
using FhirStore.Json;
using FhirStore.Writing;
using NodaTime;
using NodaTime.Text;

namespace FhirServer.Demo;

/// <summary>
/// Puts the demo hospital into the store, through the same write path as every client. Ids follow from the seed, and what is there
/// already is left alone, so a later start adds only the slots of the days that have come into reach.
/// </summary>
public sealed class DemoSeeder(ResourceStore store, TimeProvider clock)
{
    public const int DefaultSeed = 2026;

    /// <summary>Large enough to share a synced write, small enough that progress is seen.</summary>
    private const int BatchSize = 200;

    /// <param name="progress">Receives a line for each part; null says nothing.</param>
    /// <returns>How many resources were written: 0 when everything stood there.</returns>
    public async Task<int> SeedAsync(int seed, TextWriter? progress, CancellationToken ct)
    {
        var now = Instant.FromDateTimeOffset(clock.GetUtcNow());
        var opened = await OpeningDayAsync(ct) ?? now.InZone(DemoSites.Berlin.TimeZone).Date;
        var patients = DemoPatients.All(seed, opened);

        var written = await WriteMissingAsync("hospital", DemoHospital.Resources(opened), progress, ct);
        written += await WriteMissingAsync("patients", patients.Select(patient => patient.Resource), progress, ct);
        written += await WriteMissingAsync("past visits", DemoVisits.Past(seed, opened, patients), progress, ct);
        written += await WriteMissingAsync("slots", DemoVisits.Slots(now), progress, ct);
        return written;
    }

    /// <returns>The first day of an earlier seeding, from the schedule it wrote in its first commit; null where there was none.</returns>
    private async ValueTask<LocalDate?> OpeningDayAsync(CancellationToken ct)
    {
        var first = DemoSites.Practitioners[0];
        if (await store.ReadAsync(new("Schedule", first.ScheduleId), ct) is not { Deleted: false } schedule)
        {
            return null;
        }
        using var document = JsonDocument.Parse(schedule.Json);
        return document.RootElement.TryGetProperty("planningHorizon", out var horizon) && horizon.TryGetProperty("start", out var start)
            && OffsetDateTimePattern.ExtendedIso.Parse(start.GetString()!) is { Success: true } parsed
            ? parsed.Value.InZone(first.Site.TimeZone).Date
            : null;
    }

    private async Task<int> WriteMissingAsync(string what, IEnumerable<JsonObject> resources, TextWriter? progress, CancellationToken ct)
    {
        var written = 0;
        foreach (var chunk in resources.Chunk(BatchSize))
        {
            var requests = ImmutableArray.CreateBuilder<WriteRequest>(chunk.Length);
            foreach (var resource in chunk)
            {
                var key = new ResourceKey((string)resource["resourceType"]!, (string)resource["id"]!);
                if (await store.ReadAsync(key, ct) is null)
                {
                    var parsed = ResourceParser.Parse(JsonSerializer.SerializeToUtf8Bytes(resource), key.Type);
                    requests.Add(new WriteRequest.Update(key, Accepted(parsed, key), IfMatch: null) { Cause = "demo" });
                }
            }
            if (requests.Count > 0)
            {
                written += Accepted(await store.WriteAsync(requests.DrainToImmutable(), ct), what).Length;
            }
        }
        if (written > 0 && progress is not null)
        {
            await progress.WriteLineAsync($"Demo: {written} {what}");
        }
        return written;
    }

    /// <summary>The demo's own data being refused is a fault of ours, so it ends the start.</summary>
    private static T Accepted<T>(Outcome<T> outcome, object what) => outcome.TryGet(out var value, out var failure)
        ? value
        : throw new InvalidOperationException(
            $"The demo data was refused at {what}: {string.Join(" ", failure.Issues.Select(issue => $"{issue.Expression}: {issue.Diagnostics}"))}");
}
