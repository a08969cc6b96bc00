using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Cache.Redis.Tests;
using FhirCore.Caching;
using FhirCore.Records;
using Microsoft.Extensions.DependencyInjection;

namespace FhirServer.Tests;

/// <summary>A server with <c>Cache:Provider=Redis</c>: whatever becomes of Redis, every answer is right and none fails; and nothing can be read in it.</summary>
public sealed class RedisTests(RedisServerFixture server) : IClassFixture<RedisServerFixture>
{
    private const int Schedules = 3;
    private const int Days = 4;
    private const int SlotsOfADay = 12;

    private static readonly DateTimeOffset FirstDay = new(TimeProvider.System.GetUtcNow().UtcDateTime.Date.AddDays(2), TimeSpan.Zero);

    [Fact]
    public async Task FindBookAndSearch_WhileRedisIsFlushedKilledAndRestarted_EveryAnswerIsRight()
    {
        RedisServer.Need();
        var clinic = await OpenAsync("load");
        var state = new ConcurrentDictionary<string, Claim>(StringComparer.Ordinal);
        using var over = new CancellationTokenSource();
        var done = new int[6];
        Task[] workers =
        [
            .. Enumerable.Range(0, 2).Select(half => BookAsync(clinic, state, half, () => Interlocked.Increment(ref done[half]), over.Token)),
            .. Enumerable.Range(2, 2).Select(i => SearchAsync(clinic, state, () => Interlocked.Increment(ref done[i]), over.Token)),
            .. Enumerable.Range(4, 2).Select(i => FindAsync(clinic, state, () => Interlocked.Increment(ref done[i]), over.Token)),
        ];
        var redis = server.Redis!;
        for (var round = 0; round < 2; round++)
        {
            for (var flush = 0; flush < 6; flush++)
            {
                await Task.Delay(100);
                await redis.SayAsync("FLUSHALL");
            }
            redis.Kill();
            await Task.Delay(700);
            await redis.StartAsync();
            await BackAsync();
        }
        var cache = server.Services.GetRequiredService<ICache>();
        await UntilAsync(() => Task.FromResult(workers.Any(worker => worker.IsFaulted) || (done.All(count => count > 5) && cache.Tally.Hits > 0) ? "yes" : null));
        await over.CancelAsync();
        await Task.WhenAll(workers);

        var tally = cache.Tally;
        Assert.True(tally.Hits > 0 && tally.Misses > 0 && tally.Skipped > 0, $"{tally.Hits} hits, {tally.Misses} misses, {tally.Failures} failures, {tally.Skipped} skipped");
        await AssertTruthAsync(clinic, state);
    }

    [Fact]
    public async Task WhatLiesInRedis_NamesNobody()
    {
        RedisServer.Need();
        var redis = server.Redis!;
        var attempt = 0;
        // A Redis that was slow to answer is not asked for a while, and then nothing of what is done lies in it: it is done again, for others.
        var keys = await UntilAsync(async () =>
        {
            await BackAsync();
            var clinic = await OpenAsync("plantedid");
            Assert.Equal(201, (await server.Client.PostAsync("Appointment/$book", Proposal(clinic.Slots[0][0], 0))).Status);
            await server.Client.GetAsync(SlotQuery(clinic, 0));
            await server.Client.GetAsync(FindQuery(clinic, 0, 0));
            await FailToSignInAsync($"planted-client-{attempt++}");
            var all = (await redis.AskAsync("KEYS", "*")).Split("\r\n").Where(line => line.StartsWith("fhir:", StringComparison.Ordinal)).ToArray();
            return all.Any(key => key.StartsWith("fhir:free/", StringComparison.Ordinal)) && all.Any(key => key.StartsWith("fhir:login/", StringComparison.Ordinal)) ? all : null;
        });

        var everything = new MemoryStream();
        foreach (var key in keys)
        {
            everything.Write(Encoding.UTF8.GetBytes(key));
            everything.Write(await redis.SayAsync("GET", key));
        }
        Assert.StartsWith("+OK", await redis.AskAsync("SAVE"), StringComparison.Ordinal);
        var dump = await File.ReadAllBytesAsync(Path.Combine(redis.Folder, "dump.rdb"));
        Assert.True(dump.Length > 1000);
        foreach (var (where, bytes) in new[] { ("memory", everything.ToArray()), ("dump", dump) })
        {
            var text = Encoding.Latin1.GetString(bytes);
            foreach (var planted in new[] { "plantedid", "Plantedname", "Plantedcomment", "planted-client", "127.0.0.1", "Schedule", "resourceType", "\"free\"" })
            {
                Assert.False(text.Contains(planted, StringComparison.OrdinalIgnoreCase), $"{planted} stands in Redis's {where}.");
            }
        }
        Assert.All(keys.Where(key => key.StartsWith("fhir:free/", StringComparison.Ordinal)), key => Assert.Matches("^fhir:free/[0-9a-f]{32}/[0-9]{6}$", key));
    }

    [Fact]
    public async Task Metrics_TellOfTheCache_AndTheProbeNamesRedis()
    {
        RedisServer.Need();
        await BackAsync();
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(new Uri(server.Origin + "/metrics"));
        Assert.Contains("fhir_cache_calls_total{result=\"hit\"}", metrics, StringComparison.Ordinal);
        var probe = Assert.Single(server.Services.GetServices<IEngineProbe>(), probe => probe.Engine == "Redis");
        Assert.False(probe.IsRequired);
    }

    private async Task BookAsync(Clinic clinic, ConcurrentDictionary<string, Claim> state, int worker, Action booked, CancellationToken over)
    {
        // Each books its own half, back and forth over the schedules: nobody gets in its way, so every booking must succeed.
        for (var n = worker; n < Days * SlotsOfADay * Schedules && !over.IsCancellationRequested; n += 2)
        {
            var slot = clinic.Slots[n % Schedules][n / Schedules * 7 % (Days * SlotsOfADay)];
            state[slot.Id] = Claim.Asked;
            var answer = await server.Client.PostAsync("Appointment/$book", Proposal(slot, n % Schedules));
            Assert.True(answer.Status == 201, answer.Text);
            state[slot.Id] = Claim.Booked;
            booked();
            await Task.Delay(15, CancellationToken.None);
        }
    }

    private async Task SearchAsync(Clinic clinic, ConcurrentDictionary<string, Claim> state, Action answered, CancellationToken over)
    {
        for (var asked = 0; !over.IsCancellationRequested; asked++)
        {
            var schedule = asked % Schedules;
            var before = Booked(state);
            var found = await server.Client.SearchAllAsync(SlotQuery(clinic, schedule) + (asked % 2 == 0 ? "&_count=7" : ""));
            Check(clinic.Slots[schedule], before, state, [.. found.Select(slot => (string)slot["id"]!)]);
            answered();
        }
    }

    private async Task FindAsync(Clinic clinic, ConcurrentDictionary<string, Claim> state, Action answered, CancellationToken over)
    {
        for (var asked = 0; !over.IsCancellationRequested; asked++)
        {
            var (schedule, day) = (asked % Schedules, asked % Days);
            var before = Booked(state);
            var found = await server.Client.GetAsync(FindQuery(clinic, schedule, day));
            Assert.True(found.Status == 200, found.Text);
            var slots = clinic.Slots[schedule].GetRange(day * SlotsOfADay, SlotsOfADay);
            var starts = found.Matches.Select(match => DateTimeOffset.Parse((string)match["start"]!, CultureInfo.InvariantCulture)).ToHashSet();
            Check(slots, before, state, [.. slots.Where(slot => starts.Contains(slot.Start)).Select(slot => slot.Id)]);
            answered();
        }
    }

    /// <summary>What was booked before the question is not in the answer; what nobody has asked for until the answer came is, once.</summary>
    private static void Check(List<Place> slots, HashSet<string> bookedBefore, ConcurrentDictionary<string, Claim> state, List<string> shown)
    {
        Assert.Equal(shown.Count, shown.Distinct().Count());
        foreach (var slot in slots)
        {
            Assert.False(bookedBefore.Contains(slot.Id) && shown.Contains(slot.Id), "A slot was shown as free after its booking was acknowledged.");
            Assert.True(state.ContainsKey(slot.Id) || shown.Contains(slot.Id), "A free slot was not shown.");
        }
        Assert.Empty(shown.Except(slots.Select(slot => slot.Id)));
    }

    private async Task AssertTruthAsync(Clinic clinic, ConcurrentDictionary<string, Claim> state)
    {
        for (var schedule = 0; schedule < Schedules; schedule++)
        {
            var free = (await server.Client.SearchAllAsync(SlotQuery(clinic, schedule))).Select(slot => (string)slot["id"]!);
            Assert.Equal(clinic.Slots[schedule].Where(slot => !state.ContainsKey(slot.Id)).Select(slot => slot.Id), free);
            foreach (var slot in clinic.Slots[schedule])
            {
                Assert.Equal(state.ContainsKey(slot.Id) ? "busy" : "free", (string?)(await server.Client.GetAsync($"Slot/{slot.Id}")).Json["status"]);
            }
        }
    }

    private static HashSet<string> Booked(ConcurrentDictionary<string, Claim> state) =>
        state.Where(pair => pair.Value == Claim.Booked).Select(pair => pair.Key).ToHashSet(StringComparer.Ordinal);

    private static string SlotQuery(Clinic clinic, int schedule) =>
        $"Slot?schedule=Schedule/{clinic.Name}-{schedule}&status=free&start=ge{FirstDay:yyyy-MM-dd}&start=lt{FirstDay.AddDays(Days):yyyy-MM-dd}";

    private static string FindQuery(Clinic clinic, int schedule, int day) =>
        $"Appointment/$find?schedule=Schedule/{clinic.Name}-{schedule}&start={FirstDay.AddDays(day):yyyy-MM-dd}T00:00:00Z&end={FirstDay.AddDays(day + 1):yyyy-MM-dd}T00:00:00Z&_count=500";

    private static string Proposal(Place slot, int patient) =>
        $$"""
        {"resourceType":"Appointment","status":"proposed","slot":[{"reference":"Slot/{{slot.Id}}"}],
         "start":"{{slot.Start:yyyy-MM-ddTHH:mm:ssZ}}","end":"{{slot.Start.AddMinutes(30):yyyy-MM-ddTHH:mm:ssZ}}",
         "participant":[{"actor":{"reference":"Patient/{{slot.Clinic}}-{{patient}}"},"status":"accepted"}]}
        """;

    private async Task<Clinic> OpenAsync(string name)
    {
        name = $"{name}-{Guid.NewGuid():N}"[..20];
        var clinic = new Clinic(name, []);
        var entries = new List<JsonObject>();
        for (var schedule = 0; schedule < Schedules; schedule++)
        {
            var slots = new List<Place>();
            clinic.Slots.Add(slots);
            entries.Add(BundleTests.Put($"Patient/{name}-{schedule}", $$"""{"resourceType":"Patient","id":"{{name}}-{{schedule}}","active":true,"name":[{"family":"Plantedname"}]}"""));
            entries.Add(BundleTests.Put($"Practitioner/{name}-{schedule}", $$"""{"resourceType":"Practitioner","id":"{{name}}-{{schedule}}","active":true,"name":[{"family":"Plantedname"}]}"""));
            entries.Add(BundleTests.Put($"Schedule/{name}-{schedule}", $$"""{"resourceType":"Schedule","id":"{{name}}-{{schedule}}","active":true,"actor":[{"reference":"Practitioner/{{name}}-{{schedule}}"}]}"""));
            for (var n = 0; n < Days * SlotsOfADay; n++)
            {
                var slot = new Place($"{name}-{schedule}-{n}", name, FirstDay.AddDays(n / SlotsOfADay).AddHours(8).AddMinutes(30 * (n % SlotsOfADay)));
                slots.Add(slot);
                entries.Add(BundleTests.Put($"Slot/{slot.Id}", $$"""{"resourceType":"Slot","id":"{{slot.Id}}","schedule":{"reference":"Schedule/{{name}}-{{schedule}}"},"status":"free","start":"{{slot.Start:yyyy-MM-ddTHH:mm:ssZ}}","end":"{{slot.Start.AddMinutes(30):yyyy-MM-ddTHH:mm:ssZ}}","comment":"Plantedcomment"}"""));
            }
        }
        var answer = await server.Client.PostAsync("", BundleTests.Bundle("transaction", [.. entries]));
        Assert.True(answer.Status == 200, answer.Text);
        return clinic;
    }

    private async Task FailToSignInAsync(string client)
    {
        using var http = new HttpClient();
        var discovery = JsonNode.Parse(await http.GetStringAsync(new Uri(server.Base + "/.well-known/smart-configuration")))!;
        using var request = new HttpRequestMessage(HttpMethod.Post, (string)discovery["token_endpoint"]!) { Content = new FormUrlEncodedContent([new("grant_type", "client_credentials")]) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{client}:wrong")));
        using var response = await http.SendAsync(request);
        Assert.Equal(401, (int)response.StatusCode);
    }

    private Task BackAsync() => UntilAsync(async () =>
        await server.Services.GetServices<IEngineProbe>().Single(probe => probe.Engine == "Redis").CheckAsync(default) is null ? "yes" : null);

    private static async Task<T> UntilAsync<T>(Func<Task<T?>> ask)
        where T : class
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (await ask() is { } answer)
            {
                return answer;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMinutes(1), "It did not come to pass.");
            await Task.Delay(30);
        }
    }

    private enum Claim
    {
        Asked,
        Booked,
    }

    private sealed record Place(string Id, string Clinic, DateTimeOffset Start);

    private sealed record Clinic(string Name, List<List<Place>> Slots);
}

/// <summary>A server beside a Redis of its own; nothing where the program is missing, so that the tests can say so.</summary>
public sealed class RedisServerFixture : ServerFixture
{
    public RedisServer? Redis { get; private set; }

    protected override string[] Extra => ["--Cache:Provider=Redis", $"--Cache:Redis:Configuration={Redis!.Address}"];

    public override async ValueTask InitializeAsync()
    {
        if (RedisServer.IsThere)
        {
            Redis = await RedisServer.StartAsync("--rdbcompression", "no");
            await base.InitializeAsync();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Redis?.Dispose();
    }
}
