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

    /// <summary>The visits of the weeks before the opening day, newest first, and what was booked on that day for the weeks ahead.</summary>
    /// <returns>How many resources were written.</returns>
    public async Task<int> SeedHistoryAsync(int seed, int weeks, CancellationToken ct)
    {
        if (await OpeningDayAsync(ct) is not { } opened)
        {
            return 0;
        }
        var history = new DemoHistory(seed, opened, DemoPatients.All(seed, opened));
        var written = 0;
        foreach (var patients in history.Patients().Chunk(BatchSize))
        {
            written += await WriteUnlessBegunAsync(patients, ct);
        }
        foreach (var practitioner in DemoSites.Practitioners)
        {
            written += await WriteUnlessBegunAsync([.. history.Ahead(practitioner)], ct);
        }
        for (var week = 1; week <= weeks; week++)
        {
            written += await WriteUnlessBegunAsync([.. history.Week(week)], ct);
        }
        return written;
    }

    /// <summary>All of it in one commit, so that where the first one stands the others do. Then as long a pause as it took.</summary>
    private async Task<int> WriteUnlessBegunAsync(JsonObject[] resources, CancellationToken ct)
    {
        if (resources.Length == 0 || await store.ReadAsync(KeyOf(resources[0]), ct) is not null)
        {
            return 0;
        }
        var began = clock.GetTimestamp();
        var requests = ImmutableArray.CreateBuilder<WriteRequest>(resources.Length);
        foreach (var resource in resources)
        {
            requests.Add(Write(resource));
        }
        var outcome = await store.WriteAsync(requests.DrainToImmutable(), ct);
        await Task.Delay(clock.GetElapsedTime(began), clock, ct);
        return outcome.TryGet(out var written, out _) ? written.Length : 0; // somebody has taken one of these times meanwhile
    }

    private static ResourceKey KeyOf(JsonObject resource) => new((string)resource["resourceType"]!, (string)resource["id"]!);

    private static WriteRequest.Update Write(JsonObject resource)
    {
        var key = KeyOf(resource);
        return new(key, Accepted(ResourceParser.Parse(JsonSerializer.SerializeToUtf8Bytes(resource), key.Type), key), IfMatch: null) { Cause = "demo" };
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
                if (await store.ReadAsync(KeyOf(resource), ct) is null)
                {
                    requests.Add(Write(resource));
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
