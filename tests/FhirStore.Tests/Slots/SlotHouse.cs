using System.Collections.Immutable;
using System.Text;
using FhirCore;
using FhirCore.Caching;
using FhirCore.Records;
using FhirStore.Caching;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Json;
using FhirStore.Search;
using FhirStore.Slots;
using FhirStore.Tests.Encryption;
using FhirStore.Writing;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace FhirStore.Tests.Slots;

/// <summary>One store; a search that asks it each time, and any number of "processes" that keep free slots at hand.</summary>
internal sealed class SlotHouse : IDisposable
{
    public static readonly DateTimeOffset Now = new(2030, 5, 15, 10, 20, 0, TimeSpan.Zero);

    private readonly StoreKeys _keys;
    private readonly ResourceStore _writes;
    private readonly ResourceIndexer _indexer;
    private readonly SearchOptions _options = new() { BaseUrl = "https://clinic.example/fhir" };

    private SlotHouse(StoreKeys keys, CountingStore store, FakeTimeProvider clock)
    {
        (_keys, Store, Clock) = (keys, store, clock);
        Fields = new(keys.IndexTokens);
        _indexer = new(keys.IndexTokens, Fields, _options);
        Plain = new(store, keys.Cipher, keys.Protector, _indexer, Fields, _options, clock);
        _writes = new(store, keys.Cipher, _indexer, Plain, [], clock);
        Shared = new(clock);
    }

    public CountingStore Store { get; }

    public FakeTimeProvider Clock { get; }

    public OperationalFields Fields { get; }

    /// <summary>Asks the store.</summary>
    public SearchService Plain { get; }

    public SharedCache Shared { get; }

    public static async Task<SlotHouse> OpenAsync()
    {
        var store = new CountingStore(new InMemoryRecordStore());
        var clock = new FakeTimeProvider(Now);
        return new(await StoreKeys.OpenAsync(store, new TestVault(), clock, default), store, clock);
    }

    public FreeSlots Process(ICache? cache = null, FreeSlotsOptions? options = null) =>
        new(Store, _keys.Cipher, _keys.Protector, cache ?? new MemoryCache(Clock), options ?? new() { Weeks = 3 }, Clock);

    public SearchService SearchOf(FreeSlots slots) => new(Store, _keys.Cipher, _keys.Protector, _indexer, Fields, _options, Clock, slots);

    public async Task PutSlotAsync(string id, string schedule, string status, string start)
    {
        var json = $$"""{"resourceType":"Slot","id":"{{id}}","schedule":{"reference":"{{schedule}}"},"status":"{{status}}","start":"{{start}}","end":"2030-12-31T00:00:00Z","comment":"Planted-{{id}}"}""";
        var parsed = ResourceParser.Parse(Encoding.UTF8.GetBytes(json), "Slot");
        Assert.True(parsed.TryGet(out var slot, out var failure), failure?.Issues[0].Diagnostics);
        await WriteAsync(new WriteRequest.Update(new("Slot", id), slot, null));
    }

    public Task DeleteSlotAsync(string id) => WriteAsync(new WriteRequest.Delete(new("Slot", id), null));

    /// <summary>The page's seal carries a random part: what is in it is compared.</summary>
    public byte[] Opened(string page)
    {
        Assert.True(_keys.Protector.TryOpen("search-page", page, out var bytes));
        return bytes;
    }

    public static ImmutableArray<KeyValuePair<string, string>> Query(string query) =>
        [.. query.Split('&').Select(part => part.Split('=', 2)).Select(part => KeyValuePair.Create(part[0], part[1]))];

    public static async Task<SearchPage> PageAsync(SearchService search, string query, string? page = null) =>
        (await search.SearchAsync(new("Slot", Query(query), false, page), default)).Value;

    private async Task WriteAsync(WriteRequest request)
    {
        Clock.Advance(TimeSpan.FromMilliseconds(10));
        var done = await _writes.WriteAsync([request], default);
        Assert.True(done.TryGet(out _, out var failure), failure?.Issues[0].Diagnostics);
    }

    public void Dispose() => _keys.Dispose();
}

/// <summary>What several processes see of one Redis: it can be emptied, and be away.</summary>
internal sealed class SharedCache(TimeProvider clock) : ICache
{
    private MemoryCache _inner = new(clock);

    public bool IsShared => true;

    public bool IsAway { get; set; }

    public CacheTally Tally => _inner.Tally;

    public List<byte[]> Written { get; } = [];

    public void Flush() => _inner = new(clock);

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken ct) => IsAway ? new((byte[]?)null) : _inner.GetAsync(key, ct);

    public ValueTask<byte[]?[]> GetManyAsync(IReadOnlyList<string> keys, CancellationToken ct) => IsAway ? new(new byte[]?[keys.Count]) : _inner.GetManyAsync(keys, ct);

    public ValueTask SetAsync(string key, ReadOnlyMemory<byte> value, TimeSpan lifetime, CancellationToken ct)
    {
        lock (Written)
        {
            Written.Add(value.ToArray());
        }
        return IsAway ? default : _inner.SetAsync(key, value, lifetime, ct);
    }

    public ValueTask RemoveAsync(string key, CancellationToken ct) => _inner.RemoveAsync(key, ct);

    public ValueTask<CacheCount?> AddAsync(string key, TimeSpan window, CancellationToken ct) => _inner.AddAsync(key, window, ct);

    public ValueTask<CacheCount?> CountAsync(string key, CancellationToken ct) => _inner.CountAsync(key, ct);
}

/// <summary>Counts questions, and lets a test do something between a stamp and what is read after it.</summary>
internal sealed class CountingStore(IRecordStore inner) : IRecordStore
{
    private int _queries;

    public int Queries => Volatile.Read(ref _queries);

    public Func<Task>? BeforeQuery { get; set; }

    public async ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct)
    {
        Interlocked.Increment(ref _queries);
        if (BeforeQuery is { } before)
        {
            BeforeQuery = null;
            await before();
        }
        return await inner.QueryAsync(query, ct);
    }

    public ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct) => inner.GetAsync(key, ct);

    public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct) => inner.GetVersionAsync(key, version, ct);

    public Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct) => inner.CommitAsync(commit, ct);

    public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct) => inner.CountAsync(type, where, atMost, ct);

    public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct) => inner.HistoryAsync(query, ct);

    public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct) => inner.ReadChangesAsync(after, limit, ct);

    public ValueTask<long> StampAsync(string name, CancellationToken ct) => inner.StampAsync(name, ct);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
