using FhirCore.Caching;

namespace FhirStore.Caching;

/// <summary>The cache of one process: bounded by bytes, what is not used goes first.</summary>
public sealed class MemoryCache : ICache
{
    /// <summary>Room of the cache that the server makes.</summary>
    public const long DefaultBytes = 16 << 20;

    private readonly TimeProvider _clock;
    private readonly BoundedMap<string, Entry> _entries;
    private readonly Lock _counting = new();

    /// <param name="clock">Lifetimes and windows are measured with it.</param>
    /// <param name="mostBytes">Room for all entries, in bytes.</param>
    public MemoryCache(TimeProvider clock, long mostBytes = DefaultBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(mostBytes);
        _clock = clock;
        _entries = new(mostBytes);
    }

    public bool IsShared => false;

    public CacheTally Tally { get; } = new();

    internal int Count => _entries.Count;

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return new(Get(key));
    }

    public ValueTask<byte[]?[]> GetManyAsync(IReadOnlyList<string> keys, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ct.ThrowIfCancellationRequested();
        var values = new byte[]?[keys.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Get(keys[i]);
        }
        return new(values);
    }

    public ValueTask SetAsync(string key, ReadOnlyMemory<byte> value, TimeSpan lifetime, CancellationToken ct)
    {
        CacheKey.Check(key);
        ArgumentOutOfRangeException.ThrowIfLessThan(lifetime, TimeSpan.FromMilliseconds(1));
        ct.ThrowIfCancellationRequested();
        if (value.Length > CacheKey.LongestValue)
        {
            _entries.Remove(key);
        }
        else
        {
            _entries.Put(key, new() { Until = _clock.GetUtcNow() + lifetime, Value = value.ToArray() }, SizeOf(key) + value.Length);
        }
        return default;
    }

    public ValueTask RemoveAsync(string key, CancellationToken ct)
    {
        CacheKey.Check(key);
        ct.ThrowIfCancellationRequested();
        _entries.Remove(key);
        return default;
    }

    public ValueTask<CacheCount?> AddAsync(string key, TimeSpan window, CancellationToken ct)
    {
        CacheKey.Check(key);
        ArgumentOutOfRangeException.ThrowIfLessThan(window, TimeSpan.FromMilliseconds(1));
        ct.ThrowIfCancellationRequested();
        var now = _clock.GetUtcNow();
        lock (_counting)
        {
            if (_entries.Find(key) is not { Value: null } counter || counter.Until <= now)
            {
                counter = new() { Until = now + window };
                _entries.Put(key, counter, SizeOf(key));
            }
            return new(new CacheCount(++counter.Count, counter.Until - now));
        }
    }

    public ValueTask<CacheCount?> CountAsync(string key, CancellationToken ct)
    {
        CacheKey.Check(key);
        ct.ThrowIfCancellationRequested();
        var now = _clock.GetUtcNow();
        lock (_counting)
        {
            return new(_entries.Find(key) is { Value: null } counter && counter.Until > now ? new CacheCount(counter.Count, counter.Until - now) : default);
        }
    }

    private byte[]? Get(string key)
    {
        CacheKey.Check(key);
        var entry = _entries.Find(key);
        if (entry is not null && entry.Until <= _clock.GetUtcNow())
        {
            _entries.Remove(key, entry);
            entry = null;
        }
        Tally.Found(entry?.Value is not null);
        return entry?.Value?.ToArray(); // a copy: what a caller does to its bytes changes no entry
    }

    private static int SizeOf(string key) => (2 * key.Length) + 64;

    private sealed class Entry
    {
        public required DateTimeOffset Until;

        /// <summary>Null in a counter.</summary>
        public byte[]? Value;

        public long Count;
    }
}
