using Authorization.Endpoints;
using FhirCore.Caching;
using FhirStore.Caching;
using FhirStore.Encryption;
using Microsoft.Extensions.Time.Testing;

namespace Authorization.Tests.Endpoints;

public sealed class LoginThrottleTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task TenthFailure_ClosesTheDoor_UntilTheMinuteIsOver()
    {
        var throttle = new LoginThrottle(_clock, Tokens);
        await FailAsync(throttle, 9);
        Assert.Null(await throttle.WaitForAsync("ehr", "10.0.0.1", default));
        _clock.Advance(TimeSpan.FromSeconds(20));
        await FailAsync(throttle, 1);

        Assert.Equal(TimeSpan.FromSeconds(40), await throttle.WaitForAsync("ehr", "10.0.0.1", default));
        _clock.Advance(TimeSpan.FromSeconds(40));
        Assert.Null(await throttle.WaitForAsync("ehr", "10.0.0.1", default));
        await FailAsync(throttle, 1);
        Assert.Null(await throttle.WaitForAsync("ehr", "10.0.0.1", default)); // a new minute counts from one
    }

    [Fact]
    public async Task OtherAddressesAndClients_AreNotHeldUp()
    {
        var throttle = new LoginThrottle(_clock, Tokens);
        await FailAsync(throttle, 50);

        Assert.NotNull(await throttle.WaitForAsync("ehr", "10.0.0.1", default));
        Assert.Null(await throttle.WaitForAsync("ehr", "10.0.0.2", default));
        Assert.Null(await throttle.WaitForAsync("portal", "10.0.0.1", default));
    }

    [Fact]
    public async Task Success_ForgetsTheFailures()
    {
        var throttle = new LoginThrottle(_clock, Tokens);
        await FailAsync(throttle, 9);
        await throttle.SucceededAsync("ehr", "10.0.0.1", default);
        await FailAsync(throttle, 9);

        Assert.Null(await throttle.WaitForAsync("ehr", "10.0.0.1", default));
    }

    [Fact]
    public async Task Flood_OfInventedIds_StaysBounded()
    {
        var throttle = new LoginThrottle(_clock, Tokens);
        for (var i = 0; i < 50_000; i++)
        {
            await throttle.FailedAsync($"invented-{i}", "10.0.0.1", default);
        }
        for (var i = 0; i < 20; i++)
        {
            await throttle.FailedAsync(new string('a', 10_000), "10.0.0.1", default);
        }

        Assert.InRange(throttle.Count, 1, 10_000);
        Assert.Null(await throttle.WaitForAsync(new string('a', 10_000), "10.0.0.1", default));
    }

    [Fact]
    public async Task ProcessesWithASharedCache_CountTogether()
    {
        var cache = new SharedCache(_clock);
        var (a, b) = (new LoginThrottle(_clock, Tokens, cache), new LoginThrottle(_clock, Tokens, cache));
        await FailAsync(a, 5);
        await FailAsync(b, 5);

        Assert.Equal(LoginThrottle.Window, await a.WaitForAsync("ehr", "10.0.0.1", default));
        Assert.NotNull(await b.WaitForAsync("ehr", "10.0.0.1", default));
        await b.SucceededAsync("ehr", "10.0.0.1", default);
        Assert.Null(await a.WaitForAsync("ehr", "10.0.0.1", default));
        Assert.All(cache.Keys, key => Assert.DoesNotContain("ehr", key, StringComparison.Ordinal));
        Assert.All(cache.Keys, key => Assert.DoesNotContain("10.0.0.1", key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task SharedCacheAway_EachProcessGoesByItsOwnCount()
    {
        var cache = new SharedCache(_clock);
        var throttle = new LoginThrottle(_clock, Tokens, cache);
        await FailAsync(throttle, 5);
        cache.IsAway = true;
        Assert.Null(await throttle.WaitForAsync("ehr", "10.0.0.1", default));
        await FailAsync(throttle, 5);
        Assert.NotNull(await throttle.WaitForAsync("ehr", "10.0.0.1", default));
    }

    private static IndexTokens Tokens => new(new byte[32], 1);

    private static async Task FailAsync(LoginThrottle throttle, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await throttle.FailedAsync("ehr", "10.0.0.1", default);
        }
    }

    /// <summary>What two processes see of one Redis.</summary>
    private sealed class SharedCache(TimeProvider clock) : ICache
    {
        private readonly MemoryCache _inner = new(clock);

        public bool IsAway { get; set; }

        public HashSet<string> Keys { get; } = [];

        public bool IsShared => true;

        public CacheTally Tally => _inner.Tally;

        public ValueTask<byte[]?> GetAsync(string key, CancellationToken ct) => _inner.GetAsync(key, ct);

        public ValueTask<byte[]?[]> GetManyAsync(IReadOnlyList<string> keys, CancellationToken ct) => _inner.GetManyAsync(keys, ct);

        public ValueTask SetAsync(string key, ReadOnlyMemory<byte> value, TimeSpan lifetime, CancellationToken ct) => _inner.SetAsync(key, value, lifetime, ct);

        public ValueTask RemoveAsync(string key, CancellationToken ct) => IsAway ? default : _inner.RemoveAsync(key, ct);

        public ValueTask<CacheCount?> AddAsync(string key, TimeSpan window, CancellationToken ct)
        {
            Keys.Add(key);
            return IsAway ? new((CacheCount?)null) : _inner.AddAsync(key, window, ct);
        }

        public ValueTask<CacheCount?> CountAsync(string key, CancellationToken ct) => IsAway ? new((CacheCount?)null) : _inner.CountAsync(key, ct);
    }
}
