using FhirCore.Caching;

namespace Cache.Contract;

/// <summary>The promises of <see cref="ICache"/> that can be seen while the engine is there.</summary>
public abstract class CacheContract
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(400);

    private readonly string _own = Guid.NewGuid().ToString("N") + "/";

    protected abstract ICache Cache { get; }

    /// <summary>Lets so much time pass on the clock that lifetimes are measured with.</summary>
    protected abstract Task PassAsync(TimeSpan time);

    [Fact]
    public async Task Set_ThenGet_GivesTheBytes()
    {
        var key = Key("a");
        Assert.Null(await Cache.GetAsync(key, default));
        await Cache.SetAsync(key, Bytes(1, 2, 3), Long, default);
        Assert.Equal([1, 2, 3], await Cache.GetAsync(key, default));
        await Cache.SetAsync(key, Bytes(9), Long, default);
        Assert.Equal([9], await Cache.GetAsync(key, default));
    }

    [Fact]
    public async Task EmptyAndBigValues_ComeBackWhole()
    {
        var big = new byte[300_000];
        new Random(1).NextBytes(big);
        await Cache.SetAsync(Key("empty"), default, Long, default);
        await Cache.SetAsync(Key("big"), big, Long, default);
        Assert.Empty((await Cache.GetAsync(Key("empty"), default))!);
        Assert.Equal(big, await Cache.GetAsync(Key("big"), default));
    }

    [Fact]
    public async Task TooLongAValue_IsNotKept_AndDoesNotLeaveTheOldOne()
    {
        await Cache.SetAsync(Key("a"), Bytes(1), Long, default);
        await Cache.SetAsync(Key("a"), new byte[CacheKey.LongestValue + 1], Long, default);
        Assert.Null(await Cache.GetAsync(Key("a"), default));
    }

    [Fact]
    public async Task BytesOfTheCaller_StayItsOwn()
    {
        var given = new byte[] { 1 };
        await Cache.SetAsync(Key("a"), given, Long, default);
        given[0] = 2;
        var got = await Cache.GetAsync(Key("a"), default);
        Assert.Equal([1], got);
        got![0] = 3;
        Assert.Equal([1], await Cache.GetAsync(Key("a"), default));
    }

    [Fact]
    public async Task Lifetime_EndsTheValue()
    {
        await Cache.SetAsync(Key("short"), Bytes(1), Short, default);
        await Cache.SetAsync(Key("long"), Bytes(2), Long, default);
        Assert.NotNull(await Cache.GetAsync(Key("short"), default));
        await PassAsync(Short * 2);
        Assert.Null(await Cache.GetAsync(Key("short"), default));
        Assert.Equal([2], await Cache.GetAsync(Key("long"), default));
    }

    [Fact]
    public async Task ANewValue_HasALifetimeOfItsOwn()
    {
        await Cache.SetAsync(Key("a"), Bytes(1), Short, default);
        await Cache.SetAsync(Key("a"), Bytes(2), Long, default);
        await PassAsync(Short * 2);
        Assert.Equal([2], await Cache.GetAsync(Key("a"), default));
    }

    [Fact]
    public async Task Remove_TakesValuesAndCounters()
    {
        await Cache.SetAsync(Key("a"), Bytes(1), Long, default);
        await Cache.AddAsync(Key("n"), Long, default);
        await Cache.RemoveAsync(Key("a"), default);
        await Cache.RemoveAsync(Key("n"), default);
        await Cache.RemoveAsync(Key("never-there"), default);
        Assert.Null(await Cache.GetAsync(Key("a"), default));
        Assert.Equal(0, (await Cache.CountAsync(Key("n"), default))!.Value.Count);
        Assert.Equal(1, (await Cache.AddAsync(Key("n"), Long, default))!.Value.Count);
    }

    [Fact]
    public async Task GetMany_AnswersInTheOrderAsked_WithGaps()
    {
        var keys = Enumerable.Range(0, 40).Select(i => Key($"k{i}")).ToArray();
        for (var i = 0; i < keys.Length; i += 3)
        {
            await Cache.SetAsync(keys[i], Bytes((byte)i), Long, default);
        }
        var values = await Cache.GetManyAsync([.. keys, keys[3]], default);
        Assert.Equal(41, values.Length);
        for (var i = 0; i < keys.Length; i++)
        {
            Assert.Equal(i % 3 == 0 ? [(byte)i] : null, values[i]);
        }
        Assert.Equal([3], values[40]);
        Assert.Empty(await Cache.GetManyAsync([], default));
    }

    [Fact]
    public async Task Counter_CountsWithinTheWindowThatTheFirstBegan()
    {
        Assert.Equal(default(CacheCount), await Cache.CountAsync(Key("n"), default));
        var first = (await Cache.AddAsync(Key("n"), Long, default))!.Value;
        Assert.Equal(1, first.Count);
        Assert.InRange(first.Left, Long - TimeSpan.FromSeconds(5), Long);
        await PassAsync(Short);
        var second = (await Cache.AddAsync(Key("n"), TimeSpan.FromHours(5), default))!.Value;
        Assert.Equal(2, second.Count);
        Assert.InRange(second.Left, TimeSpan.FromSeconds(1), first.Left - (Short / 2));
        Assert.Equal(2, (await Cache.CountAsync(Key("n"), default))!.Value.Count);
        Assert.Equal(0, (await Cache.CountAsync(Key("other"), default))!.Value.Count);
    }

    [Fact]
    public async Task Counter_BeginsAnew_WhenItsWindowIsOver()
    {
        await Cache.AddAsync(Key("n"), Short, default);
        await Cache.AddAsync(Key("n"), Short, default);
        await PassAsync(Short * 2);
        Assert.Equal(0, (await Cache.CountAsync(Key("n"), default))!.Value.Count);
        Assert.Equal(1, (await Cache.AddAsync(Key("n"), Short, default))!.Value.Count);
    }

    [Fact]
    public async Task Counter_ManyAtOnce_NoneIsLostOrCountedTwice()
    {
        var counts = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(async () => (await Cache.AddAsync(Key("n"), Long, default))!.Value.Count)));
        Assert.Equal(Enumerable.Range(1, 64).Select(n => (long)n), counts.Order());
    }

    [Fact]
    public async Task Keys_ThatAreNotAllowed_AreRefusedWithoutBeingQuoted()
    {
        var longest = new string('ä', CacheKey.Longest / 2);
        await Cache.SetAsync(longest, Bytes(1), Long, default);
        Assert.Equal([1], await Cache.GetAsync(longest, default));
        foreach (var key in new[] { "", longest + "x" })
        {
            var refusals = new[]
            {
                await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Cache.GetAsync(key, default)),
                await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Cache.GetManyAsync(["x", key], default)),
                await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Cache.SetAsync(key, Bytes(1), Long, default)),
                await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Cache.RemoveAsync(key, default)),
                await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Cache.AddAsync(key, Long, default)),
                await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Cache.CountAsync(key, default)),
            };
            Assert.All(refusals, refusal => Assert.DoesNotContain("ä", refusal.Message, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Tally_CountsHitsAndMisses()
    {
        var (hits, misses) = (Cache.Tally.Hits, Cache.Tally.Misses);
        await Cache.SetAsync(Key("a"), Bytes(1), Long, default);
        await Cache.GetManyAsync([Key("a"), Key("b")], default);
        await Cache.GetAsync(Key("a"), default);
        Assert.Equal((hits + 2, misses + 1), (Cache.Tally.Hits, Cache.Tally.Misses));
    }

    [Fact]
    public async Task Cancelled_Throws()
    {
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Cache.GetAsync(Key("a"), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Cache.SetAsync(Key("a"), Bytes(1), Long, cancelled));
    }

    protected string Key(string name) => _own + name;

    protected static byte[] Bytes(params byte[] bytes) => bytes;
}
