using System.Text;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Json;
using FhirStore.Search;
using FhirStore.Writing;
using Forecasting.Series;
using NodaTime;
using SchedulingOperations.Tests.Support;
using Storage.Contract;

namespace Forecasting.Tests.Support;

/// <summary>A whole store in memory with the series' bookkeeping. Its clock stands at 2030-01-07 08:00 UTC, a Monday.</summary>
internal sealed class House : IDisposable
{
    public const string BaseUrl = "http://test/fhir";
    public static readonly DateTimeOffset Opening = new(2030, 1, 7, 8, 0, 0, TimeSpan.Zero);

    private readonly StoreKeys _keys;

    private House(IRecordStore records, StoreKeys keys, TestClock clock)
    {
        (Records, _keys, Clock) = (records, keys, clock);
        var searchOptions = new SearchOptions { BaseUrl = BaseUrl };
        var fields = new OperationalFields(keys.IndexTokens);
        var indexer = new ResourceIndexer(keys.IndexTokens, fields, searchOptions);
        Search = new(records, keys.Cipher, keys.Protector, indexer, fields, searchOptions, clock);
        Store = new(records, keys.Cipher, indexer, Search, [], clock);
        Load = new(records, keys.Cipher, keys.IndexTokens, clock);
        Counter = new(records, keys.Cipher, Store, Load, Options);
        Follower = new(records, keys.Cipher, Counter, Load, Options, Tally, clock);
        Recount = new(records, keys.Cipher, Counter, Load, Tally, clock);
        Reader = new(records, Load);
    }

    public static LoadOptions Options { get; } = new(BaseUrl, DateTimeZone.Utc);

    public IRecordStore Records { get; }

    public TestClock Clock { get; }

    public ResourceStore Store { get; }

    public SearchService Search { get; }

    public RecordCipher Cipher => _keys.Cipher;

    public LoadRecords Load { get; }

    public LoadCounter Counter { get; }

    public LoadFollower Follower { get; }

    public LoadTally Tally { get; } = new();

    public Recount Recount { get; }

    public LoadReader Reader { get; }

    public static async Task<House> OpenAsync(IRecordStore? records = null)
    {
        records ??= new InMemoryRecordStore();
        var clock = new TestClock(Opening);
        return new(records, await StoreKeys.OpenAsync(records, new TestVault(), clock, default), clock);
    }

    public void Dispose() => _keys.Dispose();

    public async Task PutAsync(string json)
    {
        var parsed = ResourceParser.Parse(Encoding.UTF8.GetBytes(json), null);
        Assert.True(parsed.TryGet(out var resource, out var failure), failure?.Issues[0].Diagnostics);
        await WriteAsync(new WriteRequest.Update(new(resource.Type, resource.Id!), resource, IfMatch: null));
    }

    public Task DeleteAsync(string type, string id) => WriteAsync(new WriteRequest.Delete(new(type, id), null));

    /// <summary>Everything from the change log through the follower, as one lane.</summary>
    public async Task FollowAsync()
    {
        var key = EventProgress.KeyOf(LoadFollower.Group.Name, "all");
        while (true)
        {
            var progress = await EventProgress.ReadAsync(Records, key, default);
            var rows = await Records.ReadJournalAsync(progress.Sequence, 50, default);
            if (rows.Count == 0)
            {
                return;
            }
            var (write, _) = progress.To(rows[^1].Change.Sequence, 0, Clock.GetUtcNow());
            await Follower.HandleAsync(new("all", [.. rows.Where(row => LoadFollower.Group.Wants(row.Change.Key.Type)).Select(row => new ResourceEvent(row.Change, row.Version))], write), default);
        }
    }

    public async Task RecountAsync()
    {
        while (await Recount.StepAsync(default) != Recount.StepResult.Nothing)
        {
        }
    }

    private async Task WriteAsync(WriteRequest request)
    {
        var written = await Store.WriteAsync([request], default);
        Assert.True(written.Failure is null, written.Failure?.Issues[0].Diagnostics);
    }
}
