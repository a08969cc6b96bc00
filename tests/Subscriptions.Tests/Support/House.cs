using System.Collections.Concurrent;
using System.Text;
using FhirCore;
using FhirCore.Events;
using FhirCore.Outbound;
using FhirCore.Pacing;
using FhirCore.Records;
using FhirStore;
using FhirStore.Access;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Json;
using FhirStore.Search;
using FhirStore.Writing;
using Microsoft.Extensions.Time.Testing;
using SchedulingOperations.Tests.Support;
using Storage.Contract;
using Subscriptions.Channels;
using Subscriptions.Definitions;
using Subscriptions.Delivery;
using Subscriptions.Feeds;
using Subscriptions.Matching;
using Subscriptions.Topics;
using Subscriptions.Writing;

namespace Subscriptions.Tests.Support;

/// <summary>A whole store with subscriptions, and a channel that a test answers for. Its clock stands at 2030-01-07 08:00 UTC.</summary>
internal sealed class House : IDisposable
{
    public const string BaseUrl = "http://test/fhir";
    public static readonly DateTimeOffset Opening = new(2030, 1, 7, 8, 0, 0, TimeSpan.Zero);

    private readonly StoreKeys _keys;

    private House(IRecordStore records, StoreKeys keys, FakeTimeProvider clock, SubscriptionOptions options)
    {
        (Records, _keys, Clock, Options) = (records, keys, clock, options);
        var searchOptions = new SearchOptions { BaseUrl = BaseUrl };
        var fields = new OperationalFields(keys.IndexTokens);
        var indexer = new ResourceIndexer(keys.IndexTokens, fields, searchOptions);
        var search = new SearchService(records, keys.Cipher, keys.Protector, indexer, fields, searchOptions, clock);
        var criteria = new CriteriaCompiler(searchOptions, clock);
        Compiler = new(searchOptions, clock);
        Topics = new(new(criteria), search, records);
        Own = new(records, keys.Cipher, keys.IndexTokens, clock);
        Filters = new(criteria, Compiler);
        Offer = new(new OutboundGuard(options.ReadAllowed()), "wss://test/fhir-websocket", Email: true, Stream: true);
        Definitions = new(Filters, Offer, options);
        Standings = new(Access, clock);
        Store = new(records, keys.Cipher, indexer, search, [new SubscriptionRule(Definitions, Topics, Own, search, options, clock), new TopicRule(new(criteria), Topics)], clock);
        Teller = new(Store, Own, searchOptions);
        Tools = new(Store, Own, Topics, Definitions, Standings, Teller, new(BaseUrl, clock), new(Store), [Hook], BackgroundPace.Free, options, Observer, clock);
    }

    public IRecordStore Records { get; }

    public FakeTimeProvider Clock { get; }

    public SubscriptionOptions Options { get; }

    public RestrictionCompiler Compiler { get; }

    public TopicDirectory Topics { get; }

    public SubscriptionRecords Own { get; }

    public FilterReader Filters { get; }

    public ChannelOffer Offer { get; }

    public DefinitionReader Definitions { get; }

    public TestAccess Access { get; } = new();

    public SubscriberStandings Standings { get; }

    public ResourceStore Store { get; }

    public EventTeller Teller { get; }

    public TestHook Hook { get; } = new();

    public Tally Observer { get; } = new();

    public OutletTools Tools { get; }

    public FeedSignals Signals { get; } = new();

    public static async Task<House> OpenAsync(Action<SubscriptionOptions>? configure = null, Func<IRecordStore, IRecordStore>? wrap = null)
    {
        var options = new SubscriptionOptions();
        configure?.Invoke(options);
        var clock = new FakeTimeProvider(Opening);
        var inner = new InMemoryRecordStore();
        var keys = await StoreKeys.OpenAsync(inner, new TestVault(), clock, default);
        return new(wrap?.Invoke(inner) ?? inner, keys, clock, options);
    }

    /// <summary>A process of its own: it knows nothing that is not stored.</summary>
    public Matcher NewMatcher(bool sole = false) => new(Records, _keys.Cipher, Store, Own, Topics, Definitions, Standings, Signals, Observer, Clock, sole);

    public void Dispose()
    {
        Tools.Dispose();
        _keys.Dispose();
    }

    public async Task<StoredResource> PutAsync(string json, KeptGrant? grant = null)
    {
        var parsed = ResourceParser.Parse(Encoding.UTF8.GetBytes(json), null).Value;
        var outcome = await Store.WriteAsync([new WriteRequest.Update(new(parsed.Type, parsed.Id!), parsed, null) { InNameOf = grant }], default);
        return outcome.TryGet(out var written, out var failure) ? written[0].Resource! : throw new InvalidOperationException(string.Join('\n', failure.Issues));
    }

    public async Task<FhirFailure?> TryPutAsync(string json, KeptGrant? grant = null)
    {
        var parsed = ResourceParser.Parse(Encoding.UTF8.GetBytes(json), null).Value;
        return (await Store.WriteAsync([new WriteRequest.Update(new(parsed.Type, parsed.Id!), parsed, null) { InNameOf = grant }], default)).Failure;
    }

    public async Task DeleteAsync(string type, string id) => await Store.WriteAsync([new WriteRequest.Delete(new(type, id), null)], default);

    public static KeptGrant Grant(string owner = "app") => new() { ClientId = owner, Scopes = ["system/*.cruds"], Owner = owner };

    /// <summary>JSON of a Subscription by topic over the rest-hook.</summary>
    public static string Subscription(string id, string topic, string content = "id-only", string filter = "", string channel = "", string extra = "") => $$"""
        {"resourceType":"Subscription","id":"{{id}}","status":"requested","reason":"r","criteria":"{{topic}}"{{(filter.Length == 0 ? "" : $$""","_criteria":{"extension":[{"url":"{{Backport.FilterCriteria}}","valueString":"{{filter}}"}]}""")}}{{extra}},
         "channel":{"type":"rest-hook","endpoint":"https://subscriber.example.org/{{id}}","payload":"application/fhir+json",
           "_payload":{"extension":[{"url":"{{Backport.PayloadContent}}","valueCode":"{{content}}"}]}{{channel}} } }
        """;

    /// <summary>Follows everything that was written since, as a log does: batches of at most so many, progress and all.</summary>
    public async Task FollowAsync(Matcher matcher, string lane = "all", int most = 256, Func<ResourceEvent, bool>? wanted = null)
    {
        while (true)
        {
            var progress = await EventProgress.ReadAsync(Records, EventProgress.KeyOf(Matcher.Group.Name, lane), default);
            var rows = await Records.ReadJournalAsync(progress.Sequence, most, default);
            if (rows.Count == 0)
            {
                return;
            }
            var (write, _) = progress.To(rows[^1].Change.Sequence, 0, 0, Clock.GetUtcNow());
            var batch = new EventBatch(lane, [.. rows.Select(row => new ResourceEvent(row.Change, row.Version)).Where(happened => wanted?.Invoke(happened) is not false)], write);
            await matcher.HandleAsync(batch, default);
            if (!batch.IsCommitted && await Records.CommitAsync(Commit.Of(write), default) is not CommitResult.Done)
            {
                throw new LaneLostException(lane);
            }
        }
    }

    /// <summary>All events of a feed, oldest first.</summary>
    public async Task<IReadOnlyList<NumberedEvent>> EventsAsync(string subscription)
    {
        var feed = (await Own.Feeds.FindAsync(subscription, default))!.Value;
        return await Teller.ReadAsync(feed.Id, 1, long.MaxValue, int.MaxValue, default);
    }
}

/// <summary>Everybody may see everything, until a test says otherwise.</summary>
internal sealed class TestAccess : ISubscriberAccess
{
    /// <summary>By owner.</summary>
    public ConcurrentDictionary<string, Outcome<SubscriberStanding>> Standings { get; } = new(StringComparer.Ordinal);

    public ValueTask<Outcome<SubscriberStanding>> StandAsync(KeptGrant grant, CancellationToken ct) =>
        new(Standings.TryGetValue(grant.Owner, out var standing) ? standing : new SubscriberStanding(null));
}

/// <summary>A rest-hook whose receiver is the test.</summary>
internal sealed class TestHook : IChannel
{
    private readonly ConcurrentQueue<Outgoing> _sent = new();

    public ChannelKind Kind => ChannelKind.RestHook;

    public IReadOnlyList<Outgoing> Sent => [.. _sent];

    public Func<Outgoing, Task<SendOutcome>> Answer { get; set; } = static _ => Task.FromResult(SendOutcome.Done);

    public async Task<SendOutcome> SendAsync(Outgoing outgoing, CancellationToken ct)
    {
        _sent.Enqueue(outgoing);
        return await Answer(outgoing).WaitAsync(ct);
    }
}

internal sealed class Tally : ISubscriptionObserver
{
    public ConcurrentQueue<string> Lines { get; } = new();

    public ConcurrentQueue<Exception> Faults { get; } = new();

    public void Matched(int events)
    {
    }

    public void TriggerFailed(string topic, string fault) => Lines.Enqueue($"trigger {topic}");

    public void Delivered(string channel, int events, TimeSpan age) => Lines.Enqueue($"delivered {events}");

    public void Failed(string channel, string problem, bool final) => Lines.Enqueue($"{(final ? "gave up" : "failed")} {problem}");

    public void SetAside(string channel, int events) => Lines.Enqueue($"set aside {events}");

    public void Faulted(Exception why) => Faults.Enqueue(why);
}
