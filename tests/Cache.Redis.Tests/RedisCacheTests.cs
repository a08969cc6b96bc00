using Cache.Contract;
using FhirCore.Caching;

namespace Cache.Redis.Tests;

/// <summary>The contract on a Redis that is well.</summary>
public sealed class RedisCacheTests(RedisFixture redis) : CacheContract, IClassFixture<RedisFixture>
{
    protected override ICache Cache => redis.Cache;

    protected override Task PassAsync(TimeSpan time) => Task.Delay(time);

    [Fact]
    public async Task AValueOfAnotherFormat_IsAMiss()
    {
        await redis.Server.AskAsync("SET", "fhir:foreign", "not ours");
        Assert.Null(await Cache.GetAsync("foreign", default));
    }

    [Fact]
    public async Task Entries_CarryThePrefix_AndEnd()
    {
        await Cache.SetAsync(Key("a"), Bytes(1), TimeSpan.FromMinutes(1), default);
        await Cache.AddAsync(Key("n"), TimeSpan.FromMinutes(1), default);
        foreach (var name in new[] { "a", "n" })
        {
            var left = await redis.Server.AskAsync("PTTL", "fhir:" + Key(name));
            Assert.InRange(long.Parse(left.Trim()[1..], System.Globalization.CultureInfo.InvariantCulture), 1, 60_000);
        }
    }

    [Fact]
    public async Task TwoCaches_OnOneRedis_ShareValuesAndCounters()
    {
        await using var other = await RedisFixture.OpenAsync(redis.Server.Address);
        await Cache.SetAsync(Key("a"), Bytes(7), TimeSpan.FromMinutes(1), default);
        Assert.Equal([7], await other.GetAsync(Key("a"), default));
        await Cache.AddAsync(Key("n"), TimeSpan.FromMinutes(1), default);
        Assert.Equal(2, (await other.AddAsync(Key("n"), TimeSpan.FromMinutes(1), default))!.Value.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost:6379,colour=blue")]
    [InlineData("localhost:6379,ssl=perhaps")]
    [InlineData("password=only-a-secret")]
    public void WhatCannotBeRead_IsRefused_WithoutQuotingIt(string configuration)
    {
        var problem = RedisCacheOptions.Problem(configuration);
        Assert.NotNull(problem);
        Assert.DoesNotContain("only-a-secret", problem, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => RedisCache.Open(new() { Configuration = configuration }, TimeProvider.System));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("redis.example.org:6380,password=x,ssl=true,user=fhir")]
    [InlineData("s1:26379,s2:26379,s3:26379,serviceName=clinic")]
    public void WhatCanBeRead_IsTaken(string configuration) => Assert.Null(RedisCacheOptions.Problem(configuration));
}

public sealed class RedisFixture : IAsyncLifetime
{
    private RedisServer? _server;
    private RedisCache? _cache;

    public RedisServer Server => _server!;

    public ICache Cache => _cache!;

    public async ValueTask InitializeAsync()
    {
        _server = await RedisServer.StartAsync();
        _cache = await OpenAsync(_server.Address);
    }

    public async ValueTask DisposeAsync()
    {
        if (_cache is not null)
        {
            await _cache.DisposeAsync();
        }
        _server?.Dispose();
    }

    /// <summary>A cache that has found its Redis. Tests on a loaded machine wait longer for an answer than a server does.</summary>
    public static async Task<RedisCache> OpenAsync(string configuration, int timeoutMilliseconds = 2000)
    {
        var cache = RedisCache.Open(new() { Configuration = configuration, Timeout = TimeSpan.FromMilliseconds(timeoutMilliseconds) }, TimeProvider.System);
        await UntilAsync(async () => await cache.CheckAsync(default) is null, TimeSpan.FromSeconds(20), "Redis was not reached.");
        return cache;
    }

    public static async Task UntilAsync(Func<Task<bool>> holds, TimeSpan limit, string otherwise)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < limit, otherwise);
            await Task.Delay(20);
        }
    }
}
