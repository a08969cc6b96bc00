using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Caching;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Json;
using FhirStore.Search;
using FhirStore.Tests.Encryption;
using FhirStore.Writing;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace FhirStore.Tests.Search;

/// <summary>A store of encrypted, indexed resources in memory, and a search over it.</summary>
internal sealed class SearchHouse : IDisposable
{
    public const string BaseUrl = "https://clinic.example/fhir";

    private readonly StoreKeys _keys;

    private SearchHouse(StoreKeys keys, InMemoryRecordStore store, FakeTimeProvider clock, SearchOptions options)
    {
        _keys = keys;
        Store = store;
        Clock = clock;
        Operational = new(keys.IndexTokens);
        Indexer = new(keys.IndexTokens, Operational, options);
        var recent = new RecentResources(1 << 20, TimeSpan.FromMinutes(5), isToldOfWrites: false, clock);
        Search = new(store, keys.Cipher, keys.Protector, Indexer, Operational, options, clock, recent: recent);
        Planner = new(Indexer, new(Operational));
    }

    public InMemoryRecordStore Store { get; }

    public FakeTimeProvider Clock { get; }

    public OperationalFields Operational { get; }

    public ResourceIndexer Indexer { get; }

    public SearchService Search { get; }

    public Planner Planner { get; }

    public static async Task<SearchHouse> OpenAsync(SearchOptions? options = null)
    {
        var store = new InMemoryRecordStore();
        var clock = new FakeTimeProvider(new DateTimeOffset(2030, 5, 17, 8, 30, 0, TimeSpan.Zero));
        return new(await StoreKeys.OpenAsync(store, new TestVault(), clock, default), store, clock, options ?? new() { BaseUrl = BaseUrl });
    }

    /// <summary>The write path over this house, with rules.</summary>
    public ResourceStore StoreWith(params IWriteRule[] rules) => new(Store, _keys.Cipher, Indexer, Search, rules, Clock);

    public async Task PutAsync(params string[] resources)
    {
        foreach (var resource in resources)
        {
            using var document = JsonDocument.Parse(resource);
            var root = document.RootElement;
            var key = new ResourceKey(root.GetProperty("resourceType").GetString()!, root.GetProperty("id").GetString()!);
            var version = ((await Store.GetAsync(key, default))?.Version ?? 0) + 1;
            Clock.Advance(TimeSpan.FromMilliseconds(10));
            var now = Clock.GetUtcNow();
            var json = CanonicalJson.Write(root, key.Id, version, now);
            using var canonical = JsonDocument.Parse(json);
            var keyWrites = new List<RecordWrite>();
            var index = Indexer.Index(key, now, canonical.RootElement);
            var record = new StoredRecord
            {
                Key = key,
                Version = version,
                LastUpdated = now,
                Partition = key.Id,
                Body = await _keys.Cipher.SealAsync(key, version, now, Indexer.SubjectOf(key, canonical.RootElement), index, json, keyWrites, default),
                Index = index,
            };
            Assert.IsType<CommitResult.Done>(await Store.CommitAsync(new([.. keyWrites, new(record, version - 1, true, "update")], [], []), default));
        }
    }

    public async Task DeleteAsync(string type, string id)
    {
        var old = (await Store.GetAsync(new(type, id), default))!;
        var tombstone = new StoredRecord { Key = old.Key, Version = old.Version + 1, LastUpdated = Clock.GetUtcNow(), Partition = id, Deleted = true };
        Assert.IsType<CommitResult.Done>(await Store.CommitAsync(Commit.Of(new RecordWrite(tombstone, old.Version, true, "delete")), default));
    }

    public async Task<SearchPage> FindAsync(string query, string? page = null) => (await TryAsync(query, page)).Value;

    public Task<Outcome<SearchPage>> TryAsync(string query, string? page = null, bool strict = false)
    {
        var (type, parameters) = Parse(query);
        return Search.SearchAsync(new(type, parameters, strict, page), default);
    }

    /// <summary>Ids of the matches, in order, over all pages.</summary>
    public async Task<string[]> IdsAsync(string query)
    {
        var ids = new List<string>();
        var page = await FindAsync(query);
        ids.AddRange(page.Matches.Select(m => m.Key.Id));
        while (page.Next is { } next)
        {
            page = await FindAsync(query, next);
            ids.AddRange(page.Matches.Select(m => m.Key.Id));
        }
        return [.. ids];
    }

    public static (string Type, ImmutableArray<KeyValuePair<string, string>> Parameters) Parse(string query)
    {
        var mark = query.IndexOf('?', StringComparison.Ordinal);
        var type = mark < 0 ? query : query[..mark];
        var pairs = mark < 0 ? [] : query[(mark + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries);
        return (type, [.. pairs.Select(p => p.Split('=', 2)).Select(p => KeyValuePair.Create(p[0], p.Length == 2 ? p[1] : ""))]);
    }

    public static string Text(StoredResource resource) => Encoding.UTF8.GetString(resource.Json.Span);

    public void Dispose() => _keys.Dispose();
}
