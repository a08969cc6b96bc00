using Cache.Contract;
using FhirCore.Caching;
using FhirStore.Caching;
using Microsoft.Extensions.Time.Testing;

namespace FhirStore.Tests.Caching;

public sealed class MemoryCacheTests : CacheContract
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly MemoryCache _cache;

    public MemoryCacheTests() => _cache = new(_clock, 64 << 20);

    protected override ICache Cache => _cache;

    protected override Task PassAsync(TimeSpan time)
    {
        _clock.Advance(time);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task TooManyEntries_StayWithinTheBytes_AndWhatIsUsedStays()
    {
        var cache = new MemoryCache(_clock, 1 << 20);
        for (var i = 0; i < 10_000; i++)
        {
            await cache.SetAsync($"k{i}", new byte[1000], Long, default);
            Assert.True(i < 20 || await cache.GetAsync("k10", default) is not null, $"What was used all the time went after {i}.");
        }
        Assert.InRange(cache.Count, 500, 1048);
        Assert.Null(await cache.GetAsync("k11", default));
        Assert.NotNull(await cache.GetAsync("k9999", default));
    }

    [Fact]
    public void Map_CountsWhatIsInIt_ThroughAnyOrderOfPutsAndRemovals()
    {
        var map = new BoundedMap<int, string>(20_000);
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var key = random.Next(200);
            switch (random.Next(4))
            {
                case 0:
                    map.Remove(key);
                    break;
                case 1:
                    _ = map.Find(key);
                    break;
                default:
                    map.Put(key, "x", random.Next(400));
                    break;
            }
            Assert.InRange(map.Bytes, 0, 20_000);
        }
        for (var key = 0; key < 200; key++)
        {
            map.Remove(key);
        }
        Assert.Equal((0, 0L), (map.Count, map.Bytes));
    }

    [Fact]
    public void Map_DoesNotKeepWhatWouldFillIt()
    {
        var map = new BoundedMap<int, string>(10_000);
        map.Put(1, "small", 10);
        map.Put(1, "big", 5_000);
        Assert.Null(map.Find(1));
    }
}
