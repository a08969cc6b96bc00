using FhirCore.Caching;
using FhirCore.Records;
using StackExchange.Redis;

namespace Cache.Redis;

/// <summary>The cache port on Redis. Redis is never needed: what it does not answer in time is a miss.</summary>
public sealed class RedisCache : ICache, IEngineProbe, IAsyncDisposable
{
    private const byte Format = 1;

    // One key each, so that they run on any node of a Cluster.
    private const string AddScript = "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return {n, redis.call('PTTL', KEYS[1])}";
    private const string CountScript = "return {tonumber(redis.call('GET', KEYS[1]) or 0), redis.call('PTTL', KEYS[1])}";

    private readonly RedisCacheOptions _options;
    private readonly RedisLink _link;
    private readonly TimeProvider _clock;

    private RedisCache(RedisCacheOptions options, TimeProvider clock)
    {
        _options = options;
        _clock = clock;
        _link = new(options, clock);
    }

    public bool IsShared => true;

    public CacheTally Tally { get; } = new();

    public string Engine => "Redis";

    public bool IsRequired => false;

    /// <summary>Begins to connect and returns at once: until Redis answers every call is a miss.</summary>
    /// <exception cref="ArgumentException">The configuration cannot be read.</exception>
    public static RedisCache Open(RedisCacheOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        return RedisCacheOptions.Problem(options.Configuration) is { } problem
            ? throw new ArgumentException($"The configuration {problem}.", nameof(options))
            : new(options, clock);
    }

    public ValueTask<string?> CheckAsync(CancellationToken ct) => new(_link.Answers ? null : "does not answer");

    public async ValueTask<byte[]?> GetAsync(string key, CancellationToken ct)
    {
        CacheKey.Check(key);
        var value = await TryAsync(database => database.StringGetAsync(Key(key)), ct);
        return Counted(Open(value));
    }

    /// <summary>Keys may lie on different nodes of a Cluster, where MGET is refused: each is asked for by itself, all at once.</summary>
    public async ValueTask<byte[]?[]> GetManyAsync(IReadOnlyList<string> keys, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (var key in keys)
        {
            CacheKey.Check(key);
        }
        if (keys.Count == 0)
        {
            return [];
        }
        var values = await TryAsync(
            database =>
            {
                var asked = new Task<RedisValue>[keys.Count];
                for (var i = 0; i < asked.Length; i++)
                {
                    asked[i] = database.StringGetAsync(Key(keys[i]));
                }
                return Task.WhenAll(asked);
            },
            ct);
        return values is null ? Array.ConvertAll(new byte[]?[keys.Count], Counted) : Array.ConvertAll(values, value => Counted(Open(value)));
    }

    public async ValueTask SetAsync(string key, ReadOnlyMemory<byte> value, TimeSpan lifetime, CancellationToken ct)
    {
        CacheKey.Check(key);
        ArgumentOutOfRangeException.ThrowIfLessThan(lifetime, TimeSpan.FromMilliseconds(1));
        if (value.Length > CacheKey.LongestValue)
        {
            await RemoveAsync(key, ct);
            return;
        }
        var framed = new byte[1 + value.Length];
        framed[0] = Format;
        value.Span.CopyTo(framed.AsSpan(1));
        await TryAsync(database => database.StringSetAsync(Key(key), framed, lifetime), ct);
    }

    public async ValueTask RemoveAsync(string key, CancellationToken ct)
    {
        CacheKey.Check(key);
        await TryAsync(database => database.KeyDeleteAsync(Key(key)), ct);
    }

    public async ValueTask<CacheCount?> AddAsync(string key, TimeSpan window, CancellationToken ct)
    {
        CacheKey.Check(key);
        ArgumentOutOfRangeException.ThrowIfLessThan(window, TimeSpan.FromMilliseconds(1));
        return Count(await TryAsync(database => database.ScriptEvaluateAsync(AddScript, [Key(key)], [(long)window.TotalMilliseconds]), ct));
    }

    public async ValueTask<CacheCount?> CountAsync(string key, CancellationToken ct)
    {
        CacheKey.Check(key);
        return Count(await TryAsync(database => database.ScriptEvaluateAsync(CountScript, [Key(key)]), ct));
    }

    public ValueTask DisposeAsync() => _link.DisposeAsync();

    /// <summary>One attempt within the time allowed.</summary>
    /// <returns>The default where there was no answer.</returns>
    private async Task<T?> TryAsync<T>(Func<IDatabase, Task<T>> call, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (_link.Database is not { } database)
        {
            Tally.WasSkipped();
            return default;
        }
        try
        {
            var answer = await call(database).WaitAsync(_options.Timeout, _clock, ct);
            _link.Succeeded();
            return answer;
        }
        catch (Exception error) when (!ct.IsCancellationRequested && RedisLink.IsTrouble(error))
        {
            Tally.Failed();
            _link.Failed();
            return default;
        }
    }

    private RedisKey Key(string key) => _options.KeyPrefix + key;

    /// <returns>Null where there is none, or one in a format of another version.</returns>
    private static byte[]? Open(RedisValue value) => !value.IsNull && (byte[]?)value is [Format, .. var rest] ? rest : null;

    private byte[]? Counted(byte[]? value)
    {
        Tally.Found(value is not null);
        return value;
    }

    private static CacheCount? Count(RedisResult? answer) =>
        answer is { IsNull: false, Length: 2 } ? new CacheCount((long)answer[0], TimeSpan.FromMilliseconds(Math.Max(0, (long)answer[1]))) : null;
}
