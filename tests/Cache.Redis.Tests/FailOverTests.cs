using System.Globalization;

namespace Cache.Redis.Tests;

/// <summary>Several Redis servers behind one cache.</summary>
public sealed class FailOverTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Sentinel_MasterKilled_TheCacheWorksThroughTheNewOne()
    {
        using var master = await RedisServer.StartAsync();
        using var replica = await RedisServer.StartAsync("--replicaof", "127.0.0.1 " + master.Port.ToString(CultureInfo.InvariantCulture));
        using var first = await RedisServer.StartSentinelAsync(master.Port, 500, 2000);
        using var second = await RedisServer.StartSentinelAsync(master.Port, 500, 2000);
        using var third = await RedisServer.StartSentinelAsync(master.Port, 500, 2000);
        await RedisFixture.UntilAsync(
            async () => (await replica.AskAsync("INFO", "replication")).Contains("master_link_status:up", StringComparison.Ordinal)
                && await KnowsAllAsync(first) && await KnowsAllAsync(second) && await KnowsAllAsync(third),
            TimeSpan.FromSeconds(60), "The group did not form.");
        await using var cache = await RedisFixture.OpenAsync($"{first.Address},{second.Address},{third.Address},serviceName=clinic");
        await cache.SetAsync("before", new byte[] { 1 }, Long, default);
        Assert.NotNull(await cache.GetAsync("before", default));
        await RedisFixture.UntilAsync(async () => !(await replica.AskAsync("GET", "fhir:before")).StartsWith("$-1", StringComparison.Ordinal), TimeSpan.FromSeconds(10), "Nothing was replicated.");

        master.Kill();
        await RedisFixture.UntilAsync(
            async () =>
            {
                await cache.SetAsync("after", new byte[] { 2 }, Long, default);
                return await cache.GetAsync("after", default) is [2];
            },
            TimeSpan.FromSeconds(45), "The new master was not found.");

        Assert.Contains("role:master", await replica.AskAsync("INFO", "replication"), StringComparison.Ordinal);
        Assert.Null(await cache.CheckAsync(default));
        Assert.Equal([1], await cache.GetAsync("before", default));
        Assert.Equal(1, (await cache.AddAsync("n", Long, default))!.Value.Count);
    }

    [Fact]
    public async Task Cluster_KeysOfSeveralNodes_InOneCall()
    {
        using var left = await RedisServer.StartAsync("--cluster-enabled", "yes");
        using var right = await RedisServer.StartAsync("--cluster-enabled", "yes");
        await left.AskAsync("CLUSTER", "ADDSLOTSRANGE", "0", "8191");
        await right.AskAsync("CLUSTER", "ADDSLOTSRANGE", "8192", "16383");
        await left.AskAsync("CLUSTER", "MEET", "127.0.0.1", right.Port.ToString(CultureInfo.InvariantCulture));
        await RedisFixture.UntilAsync(async () => await IsWholeAsync(left) && await IsWholeAsync(right), TimeSpan.FromSeconds(30), "The cluster did not form.");
        await using var cache = await RedisFixture.OpenAsync(left.Address);

        var keys = Enumerable.Range(0, 60).Select(i => $"k{i}").ToArray();
        for (byte i = 0; i < keys.Length; i++)
        {
            await cache.SetAsync(keys[i], new[] { i }, Long, default);
        }
        var values = await cache.GetManyAsync(keys, default);

        Assert.Equal(Enumerable.Range(0, 60).Select(i => new[] { (byte)i }), values);
        Assert.Equal(2, (await Task.WhenAll(HasKeysAsync(left), HasKeysAsync(right))).Count(has => has)); // they did lie on both
        Assert.Equal(1, (await cache.AddAsync("n1", Long, default))!.Value.Count);
        Assert.Equal(1, (await cache.AddAsync("n2", Long, default))!.Value.Count);
    }

    private static async Task<bool> KnowsAllAsync(RedisServer sentinel)
    {
        var told = await sentinel.AskAsync("INFO", "sentinel");
        return told.Contains("slaves=1", StringComparison.Ordinal) && told.Contains("sentinels=3", StringComparison.Ordinal);
    }

    private static async Task<bool> IsWholeAsync(RedisServer node)
    {
        var told = await node.AskAsync("CLUSTER", "INFO");
        return told.Contains("cluster_state:ok", StringComparison.Ordinal) && told.Contains("cluster_known_nodes:2", StringComparison.Ordinal);
    }

    private static async Task<bool> HasKeysAsync(RedisServer node) => int.Parse((await node.AskAsync("DBSIZE")).Trim()[1..], CultureInfo.InvariantCulture) > 5;
}
