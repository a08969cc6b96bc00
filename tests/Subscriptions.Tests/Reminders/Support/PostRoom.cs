using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using FhirCore;
using FhirCore.Attendance;
using FhirCore.Events;
using FhirCore.Messages;
using FhirCore.Records;
using FhirStore;
using FhirStore.Encryption;
using FhirStore.Events;
using FhirStore.Indexing;
using FhirStore.Json;
using FhirStore.Search;
using FhirStore.Writing;
using Microsoft.Extensions.Time.Testing;
using SchedulingOperations.Tests.Support;
using Storage.Contract;
using Subscriptions.Reminders;
using Subscriptions.Reminders.Planning;
using Subscriptions.Reminders.Records;
using Subscriptions.Reminders.Sending;

namespace Subscriptions.Tests.Reminders.Support;

/// <summary>Timers run by real time, so that a pause of milliseconds ends; what time it is, a test says.</summary>
internal sealed class StillClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, dueTime, period);
}

/// <summary>
/// A store with planner and sender, and three providers in memory. Nothing runs by itself: a test says when changes are followed, when
/// messages are sent, and what time it is. It begins on Friday, 1 May 2026, 10:00 in Berlin.
/// </summary>
internal sealed class PostRoom : IDisposable
{
    public const string BaseUrl = "https://clinic.example/fhir";
    public static readonly DateTimeOffset Opening = new(2026, 5, 1, 10, 0, 0, TimeSpan.FromHours(2));

    private readonly TestVault _vault;
    private readonly StoreKeys _keys;
    private readonly LaneRunner _lane;

    private PostRoom(IRecordStore store, TestVault vault, StoreKeys keys, StillClock clock, ReminderOptions options, FakeChannel[] channels, ImmutableArray<MessageChannelKind> setUp)
    {
        (Raw, _vault, _keys, Clock, Options) = (store, vault, keys, clock, options);
        (Push, Sms, Mail) = (channels[0], channels[1], channels[2]);
        var search = new SearchOptions { BaseUrl = BaseUrl };
        var fields = new OperationalFields(keys.IndexTokens);
        var indexer = new ResourceIndexer(keys.IndexTokens, fields, search);
        Store = new(store, keys.Cipher, indexer, new(store, keys.Cipher, keys.Protector, indexer, fields, search, clock), [], clock);
        Records = new(store, keys.Cipher, keys.IndexTokens, clock);
        Room = new(Store, Records, fields, new(channels.Where(channel => setUp.Contains(channel.Kind))), Risk, options, Observer, clock);
        Planner = Room.Planner(new());
        _lane = new(store, ReminderPlanner.Group, "all", Planner, async (dead, progress, ct) =>
        {
            SetAside.Add(dead);
            await store.CommitAsync(Commit.Of(DeadEventRecord.Write(dead, clock), progress), ct);
        }, null, clock);
    }

    public IRecordStore Raw { get; }

    public StillClock Clock { get; }

    public ReminderOptions Options { get; }

    public ResourceStore Store { get; }

    public ReminderRecords Records { get; }

    public ReminderRoom Room { get; }

    public ReminderPlanner Planner { get; }

    public FakeChannel Push { get; }

    public FakeChannel Sms { get; }

    public FakeChannel Mail { get; }

    public CountingObserver Observer { get; } = new();

    public FakeRisk Risk { get; } = new();

    public List<DeadEvent> SetAside { get; } = [];

    public DateTimeOffset Now => Clock.GetUtcNow();

    public static ReminderOptions Usual { get; } = new()
    {
        BaseUrl = BaseUrl + "/",
        LinkBase = "https://clinic.example/m/",
        TimeZone = "Europe/Berlin",
        MailFrom = "Lindenhof <noreply@clinic.example>",
        TakesReplies = true,
        PhoneRegion = "DE",
        ClinicName = "Lindenhof",
        ClinicPhone = "+49 30 23125 000",
        Sms = new(0, 0),
    };

    /// <param name="setUp">Channels that the operator has given credentials for; null: those that the options allow.</param>
    public static Task<PostRoom> OpenAsync(ReminderOptions? options = null, IRecordStore? store = null, ImmutableArray<MessageChannelKind>? setUp = null)
    {
        var clock = new StillClock(Opening);
        options ??= Usual;
        return OpenAsync(store ?? new InMemoryRecordStore(), new(), clock, options,
            [new(MessageChannelKind.Push, false, clock), new(MessageChannelKind.Sms, true, clock), new(MessageChannelKind.Email, false, clock)], setUp ?? options.Channels);
    }

    /// <summary>Another process on the same database, with the same providers.</summary>
    public Task<PostRoom> AnotherAsync(ReminderOptions? options = null) => OpenAsync(Raw, _vault, Clock, options ?? Options, [Push, Sms, Mail], (options ?? Options).Channels);

    /// <summary>Follows what has changed since it was called last.</summary>
    public async Task PlanAsync()
    {
        var position = (await _lane.OpenAsync(default)).Sequence;
        while (await Raw.ReadJournalAsync(position, ReminderPlanner.Group.MostEvents, default) is { Count: > 0 } rows)
        {
            position = rows[^1].Change.Sequence;
            await _lane.RunAsync([.. rows.Where(row => ReminderPlanner.Group.Wants(row.Change.Key.Type)).Select(row => new PlacedEvent(new(row.Change, row.Version), 0))], position, 0, default);
        }
    }

    /// <summary>Sends what is due.</summary>
    public async Task SendAsync()
    {
        for (byte shard = 0; shard < ReminderRecords.Shards; shard++)
        {
            await Room.Sender.SendDueAsync(shard, 32, default);
        }
    }

    public async Task PlanAndSendAsync()
    {
        await PlanAsync();
        await SendAsync();
    }

    /// <summary>Lets time pass, and sends each time something comes due.</summary>
    public async Task RunUntilAsync(DateTimeOffset end)
    {
        while (true)
        {
            await SendAsync();
            var next = (await MessagesAsync()).Where(message => message.State != MessageState.Done).Select(message => message.Due).DefaultIfEmpty(end).Min();
            if (next >= end)
            {
                break;
            }
            Clock.SetUtcNow(next > Now ? next : Now.AddSeconds(1));
        }
        if (end > Now)
        {
            Clock.SetUtcNow(end);
        }
        await SendAsync();
    }

    public async Task<List<StoredMessage>> MessagesAsync() => await Records.Messages.QueryAsync(Predicate.Everything, default).Select(message => message.Value).ToListAsync();

    public async Task<List<JsonObject>> CommunicationsAsync()
    {
        var page = await Store.QueryAsync(new("Communication", Predicate.Everything, RecordOrder.ById, null, 10_000), default);
        return [.. page.Resources.Select(resource => JsonNode.Parse(resource.Json.Span)!.AsObject())];
    }

    public async Task<StoredResource> PutAsync(string json, string? cause = null)
    {
        var node = JsonNode.Parse(json)!;
        var key = new ResourceKey((string)node["resourceType"]!, (string)node["id"]!);
        var parsed = ResourceParser.Parse(Encoding.UTF8.GetBytes(json), key.Type);
        Assert.True(parsed.Failure is null, parsed.Failure?.Issues[0].Diagnostics);
        var written = await Store.WriteAsync([new WriteRequest.Update(key, parsed.Value, null) { Cause = cause }], default);
        Assert.True(written.Failure is null, written.Failure?.Issues[0].Diagnostics);
        return written.Value[0].Resource!;
    }

    public async Task DeleteAsync(string reference)
    {
        Assert.True(ResourceKey.TryParse(reference, out var key));
        Assert.Null((await Store.WriteAsync([new WriteRequest.Delete(key, null)], default)).Failure);
    }

    public void Dispose() => _keys.Dispose();

    private static async Task<PostRoom> OpenAsync(IRecordStore store, TestVault vault, StillClock clock, ReminderOptions options, FakeChannel[] channels, ImmutableArray<MessageChannelKind> setUp) =>
        new(store, vault, await StoreKeys.OpenAsync(store, vault, clock, default), clock, options, channels, setUp);
}

/// <summary>Says of each visit what a test says.</summary>
internal sealed class FakeRisk : INoShowRisk
{
    /// <summary>Null: nothing can be said.</summary>
    public bool? IsHigh { get; set; }

    public ValueTask<NoShowEstimate?> OfAsync(ResourceKey appointment, CancellationToken ct) => new(IsHigh is { } high ? new NoShowEstimate(high ? 0.5 : 0.1, high) : null);
}

/// <summary>Counts what happens.</summary>
internal sealed class CountingObserver : IMessageObserver
{
    private readonly Lock _lock = new();

    public Dictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    public List<Exception> Faults { get; } = [];

    public void Attempted(MessageChannelKind channel, string result, TimeSpan late) => Add($"{channel} {result}");

    public void Misconfigured(MessageChannelKind channel, string code) => Add($"{channel} misconfigured");

    public void Unreadable(int count) => Add("unreadable");

    public void Failed(Exception why)
    {
        lock (_lock)
        {
            Faults.Add(why);
        }
    }

    private void Add(string what)
    {
        lock (_lock)
        {
            Counts[what] = Counts.GetValueOrDefault(what) + 1;
        }
    }
}
