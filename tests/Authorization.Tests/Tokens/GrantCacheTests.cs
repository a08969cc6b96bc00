using Authorization.Access;
using Authorization.Tokens;

namespace Authorization.Tests.Tokens;

public sealed class GrantCacheTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly Grant Someone = Grant.Everything("someone");

    [Fact]
    public void Entry_IsFoundUntilItsTime_NotAtIt()
    {
        var cache = new GrantCache(100);
        cache.Put(Token(1), Someone, Now.AddSeconds(60));

        Assert.Same(Someone, cache.Find(Token(1), Now.AddSeconds(59)));
        Assert.Null(cache.Find(Token(1), Now.AddSeconds(60)));
        Assert.Null(cache.Find(Token(2), Now));
    }

    [Fact]
    public void SecondVerification_TakesThePlaceOfTheFirst()
    {
        var cache = new GrantCache(100);
        cache.Put(Token(1), Someone, Now.AddSeconds(1));
        cache.Put(Token(1), Someone, Now.AddSeconds(60));

        Assert.Same(Someone, cache.Find(Token(1), Now.AddSeconds(30)));
    }

    [Fact]
    public void Flood_StaysBounded_AndKeepsWhatIsInUse()
    {
        var cache = new GrantCache(100);
        cache.Put(Token(0), Someone, Now.AddSeconds(60));
        for (ulong i = 1; i <= 10_000; i++)
        {
            cache.Put(Token(i), Someone, Now.AddSeconds(60));
            Assert.Same(Someone, cache.Find(Token(0), Now));
        }

        Assert.InRange(cache.Count, 1, 100);
        Assert.Null(cache.Find(Token(5), Now));
    }

    [Fact]
    public async Task ManyThreads_StayBounded()
    {
        var cache = new GrantCache(100);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (ulong i = 0; i < 5_000; i++)
            {
                var token = Token(((ulong)thread << 32) + i);
                cache.Put(token, Someone, Now.AddSeconds(60));
                cache.Find(Token(i % 7), Now);
            }
        })));

        Assert.InRange(cache.Count, 1, 200); // threads that were filling the dropped half may overshoot
    }

    private static TokenHash Token(ulong value) => new(value, 0, 0, 0);
}
