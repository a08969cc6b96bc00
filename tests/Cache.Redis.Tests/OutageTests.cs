namespace Cache.Redis.Tests;

/// <summary>Redis goes away and comes back: calls go on as misses, fast, and nobody restarts anything.</summary>
public sealed class OutageTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan BackLimit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Killed_CallsAreMisses_AndComeBackWithIt()
    {
        using var server = await RedisServer.StartAsync();
        await using var cache = await RedisFixture.OpenAsync(server.Address);
        await cache.SetAsync("a", new byte[] { 1 }, Long, default);
        Assert.NotNull(await cache.GetAsync("a", default));

        server.Kill();
        await AllCallsAreMissesAsync(cache);
        Assert.Equal("does not answer", await cache.CheckAsync(default));
        var skipped = cache.Tally.Skipped;
        await CostsNothingAsync(cache, 20_000);
        Assert.Equal(skipped + 20_000, cache.Tally.Skipped);

        await server.StartAsync();
        await RedisFixture.UntilAsync(async () => await cache.CheckAsync(default) is null, BackLimit, "Redis was not found again.");
        Assert.Null(await cache.GetAsync("a", default)); // it came back empty
        await cache.SetAsync("a", new byte[] { 2 }, Long, default);
        Assert.Equal([2], await cache.GetAsync("a", default));
    }

    [Fact]
    public async Task Frozen_CallsEndWithinTheBound_AndAreSkippedSoon()
    {
        using var server = await RedisServer.StartAsync();
        await using var cache = await RedisFixture.OpenAsync(server.Address, timeoutMilliseconds: 100);
        server.Freeze();
        try
        {
            var start = TimeProvider.System.GetTimestamp();
            await AllCallsAreMissesAsync(cache);
            // Three calls wait for the bound of 100 ms, the rest for nothing. If each waited for it, or one for the five seconds that the driver would, it took longer.
            Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(5));
            await CostsNothingAsync(cache, 20_000);
        }
        finally
        {
            server.Thaw();
        }
        await RedisFixture.UntilAsync(async () => await cache.CheckAsync(default) is null, BackLimit, "Redis was not found again.");
        await RedisFixture.UntilAsync(async () =>
        {
            await cache.SetAsync("a", new byte[] { 1 }, Long, default);
            return await cache.GetAsync("a", default) is not null;
        }, BackLimit, "Redis does not keep what is set.");
    }

    [Fact]
    public async Task NotThereAtTheStart_IsFoundLater()
    {
        using var server = await RedisServer.StartAsync();
        server.Kill();
        await using var cache = RedisCache.Open(new() { Configuration = server.Address, Timeout = TimeSpan.FromSeconds(2) }, TimeProvider.System);
        await AllCallsAreMissesAsync(cache);
        await server.StartAsync();
        await RedisFixture.UntilAsync(async () => await cache.CheckAsync(default) is null, BackLimit, "Redis was not found.");
        await cache.SetAsync("a", new byte[] { 1 }, Long, default);
        Assert.NotNull(await cache.GetAsync("a", default));
    }

    [Fact]
    public async Task KilledUnderLoad_NoCallFails_NoneGivesWhatWasNeverSet()
    {
        using var server = await RedisServer.StartAsync();
        await using var cache = await RedisFixture.OpenAsync(server.Address);
        using var over = new CancellationTokenSource();
        var workers = Enumerable.Range(0, 16).Select(w => Task.Run(async () =>
        {
            var hits = 0;
            for (byte i = 0; !over.IsCancellationRequested; i++)
            {
                await cache.SetAsync($"w{w}", new[] { (byte)w, i }, Long, default);
                if (await cache.GetAsync($"w{w}", default) is { } value)
                {
                    hits++;
                    Assert.Equal((byte)w, value[0]);
                }
                await cache.AddAsync("n", Long, default);
                await Task.Yield();
            }
            return hits;
        })).ToArray();
        for (var round = 0; round < 2; round++)
        {
            await Task.Delay(300);
            server.Kill();
            await Task.Delay(300);
            await server.StartAsync();
            await RedisFixture.UntilAsync(async () => await cache.CheckAsync(default) is null, BackLimit, "Redis was not found again.");
        }
        await over.CancelAsync();
        Assert.All(await Task.WhenAll(workers), hits => Assert.True(hits > 0));
        Assert.True(cache.Tally.Skipped > 0);
    }

    [Fact]
    public async Task AWrongPassword_IsAMiss_NotAFault()
    {
        using var server = await RedisServer.StartAsync("--requirepass", "right");
        await using (var wrong = RedisCache.Open(new() { Configuration = server.Address + ",password=wrong" }, TimeProvider.System))
        {
            await Task.Delay(500);
            await AllCallsAreMissesAsync(wrong);
            Assert.NotNull(await wrong.CheckAsync(default));
        }
        await using var right = await RedisFixture.OpenAsync(server.Address + ",password=right");
        await right.SetAsync("a", new byte[] { 1 }, Long, default);
        Assert.NotNull(await right.GetAsync("a", default));
    }

    private static async Task AllCallsAreMissesAsync(RedisCache cache)
    {
        for (var i = 0; i < 3; i++)
        {
            await cache.SetAsync("a", new byte[] { 1 }, Long, default);
            Assert.Null(await cache.GetAsync("a", default));
            Assert.All(await cache.GetManyAsync(["a", "b"], default), Assert.Null);
            Assert.Null(await cache.AddAsync("n", Long, default));
            Assert.Null(await cache.CountAsync("n", default));
            await cache.RemoveAsync("a", default);
        }
    }

    /// <summary>None of the calls waits for the bound: a hundredth of it is more than each takes, even on a machine with much else to do.</summary>
    private static async Task CostsNothingAsync(RedisCache cache, int calls)
    {
        var start = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < calls; i++)
        {
            Assert.Null(await cache.GetAsync("a", default));
        }
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds / calls, 0, 1);
    }
}
