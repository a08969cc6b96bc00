using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using FhirCore.Records;
using FhirStore;
using FhirStore.Caching;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Json;
using FhirStore.Search;
using FhirStore.Slots;
using FhirStore.Writing;
using SchedulingOperations.Booking;
using SchedulingOperations.Idempotency;
using SchedulingOperations.PlainWrites;
using Storage.Contract;

namespace SchedulingOperations.Tests.Support;

/// <summary>A whole store with the scheduling rules, and shortcuts to fill and ask it. Its clock stands at 2030-01-07 08:00 UTC, a Monday.</summary>
internal sealed class Clinic : IDisposable
{
    public const string BaseUrl = "http://test/fhir";
    public static readonly DateTimeOffset Opening = new(2030, 1, 7, 8, 0, 0, TimeSpan.Zero);

    private readonly StoreKeys _keys;

    private Clinic(IRecordStore records, TestVault vault, StoreKeys keys, TestClock clock, SchedulingOptions options)
    {
        (Records, Vault, _keys, Clock, Options) = (records, vault, keys, clock, options);
        var searchOptions = new SearchOptions { BaseUrl = BaseUrl };
        var fields = new OperationalFields(keys.IndexTokens);
        var indexer = new ResourceIndexer(keys.IndexTokens, fields, searchOptions);
        var freeSlots = new FreeSlots(records, keys.Cipher, keys.Protector, new MemoryCache(clock), new(), clock);
        var search = new SearchService(records, keys.Cipher, keys.Protector, indexer, fields, searchOptions, clock, freeSlots);
        ResourceStore? store = null;
        var rule = new SchedulingRule(() => store!, fields, searchOptions, options, clock);
        Store = store = new(records, keys.Cipher, indexer, search, [rule], clock);
        Search = search;
        Api = new(Store, records, search, searchOptions, fields, keys.IndexTokens, keys.Protector, options, clock, freeSlots);
        Expiry = new(Store, fields, searchOptions, options, clock);
        Forgetting = new(records, clock);
    }

    public IRecordStore Records { get; }

    public TestVault Vault { get; }

    public TestClock Clock { get; }

    public SchedulingOptions Options { get; }

    public ResourceStore Store { get; }

    public SearchService Search { get; }

    public SchedulingApi Api { get; }

    public HoldExpiry Expiry { get; }

    public IdempotencySweep Forgetting { get; }

    public static Task<Clinic> OpenAsync(Action<SchedulingOptions>? configure = null)
    {
        var options = new SchedulingOptions();
        configure?.Invoke(options);
        return OpenAsync(new InMemoryRecordStore(), new(), new(Opening), options);
    }

    /// <summary>The same data in a new process.</summary>
    public Task<Clinic> RestartAsync() => OpenAsync(Records, Vault, Clock, Options);

    /// <summary>Two patients, Dr A with a schedule and slots of 30 minutes from 09:00 to 12:00 on the next day: <c>Slot/a0</c> to <c>Slot/a5</c>.</summary>
    public async Task<Clinic> WithDoctorAsync(string name = "a", string actors = "", string scheduleExtra = "")
    {
        await PutAsync("""{"resourceType":"Patient","id":"pat1","active":true,"identifier":[{"system":"urn:mrn","value":"1"}],"name":[{"family":"One"}]}""");
        await PutAsync("""{"resourceType":"Patient","id":"pat2","name":[{"family":"Two"}]}""");
        await PutAsync($$"""{"resourceType":"Practitioner","id":"dr-{{name}}","name":[{"family":"{{name}}"}]}""");
        await PutAsync($$"""{"resourceType":"Schedule","id":"sched-{{name}}","active":true,"actor":[{"reference":"Practitioner/dr-{{name}}","display":"Dr {{name}}"}{{actors}}]{{scheduleExtra}}}""");
        for (var i = 0; i < 6; i++)
        {
            await PutAsync(SlotJson($"{name}{i}", $"sched-{name}", Tomorrow(9, 30 * i), Tomorrow(9, 30 * (i + 1))));
        }
        return this;
    }

    public static string Tomorrow(int hour, int minutes = 0) => Text(Opening.Date.AddDays(1).AddHours(hour).AddMinutes(minutes));

    public static string SlotJson(string id, string schedule, string start, string end, string status = "free", string extra = "") =>
        $$"""{"resourceType":"Slot","id":"{{id}}","schedule":{"reference":"Schedule/{{schedule}}"},"status":"{{status}}","start":"{{start}}","end":"{{end}}"{{extra}}}""";

    /// <summary>A bare Appointment as ISiK sends it.</summary>
    public static JsonObject Proposed(string? slot, string start, string end, string patient = "pat1", string extra = "", string status = "proposed")
    {
        var json = JsonNode.Parse($$"""
            {"resourceType":"Appointment","status":"{{status}}","start":"{{start}}","end":"{{end}}",
             "participant":[{"actor":{"reference":"Patient/{{patient}}","display":"A patient"},"status":"needs-action"}]{{extra}}}
            """)!.AsObject();
        if (slot is not null)
        {
            json["slot"] = new JsonArray(slot.Split(',').Select(s => (JsonNode)new JsonObject { ["reference"] = $"Slot/{s}" }).ToArray());
        }
        return json;
    }

    /// <summary>The half hour of <c>Slot/a{n}</c>.</summary>
    public static JsonObject Half(int n, string doctor = "a", string patient = "pat1") => Proposed($"{doctor}{n}", Tomorrow(9, 30 * n), Tomorrow(9, 30 * (n + 1)), patient);

    public static JsonObject Parameters(params (string Name, object Value)[] parts) => new()
    {
        ["resourceType"] = "Parameters",
        ["parameter"] = new JsonArray(parts.Select(part => (JsonNode)(part.Value switch
        {
            JsonObject resource when resource.ContainsKey("resourceType") => new JsonObject { ["name"] = part.Name, ["resource"] = resource.DeepClone() },
            JsonObject value => new JsonObject { ["name"] = part.Name, [value.First().Key] = value.First().Value!.DeepClone() },
            string text => new JsonObject { ["name"] = part.Name, ["valueString"] = text },
            _ => throw new ArgumentException("Not a parameter.", nameof(parts)),
        })).ToArray()),
    };

    public static JsonObject Ref(string reference) => new() { ["valueReference"] = new JsonObject { ["reference"] = reference } };

    public async Task<StoredResource> PutAsync(string json)
    {
        var outcome = await TryPutAsync(json);
        return outcome.Failure is null ? outcome.Value : throw new InvalidOperationException(string.Join(' ', outcome.Failure.Issues.Select(i => i.Diagnostics)));
    }

    public Task<StoredResource> PutAsync(JsonObject json) => PutAsync(json.ToJsonString());

    public Task<Outcome<StoredResource>> TryPutAsync(JsonObject json) => TryPutAsync(json.ToJsonString());

    public async Task<Outcome<StoredResource>> TryPutAsync(string json)
    {
        var request = Request(json);
        return (await Store.WriteAsync([request], default)).TryGet(out var outcomes, out var failure) ? outcomes[0].Resource! : failure;
    }

    /// <summary>A transaction: resources with an id are updated, others created.</summary>
    public Task<Outcome<ImmutableArray<WriteOutcome>>> TransactAsync(params string[] resources) =>
        Store.WriteAsync([.. resources.Select((json, i) => Request(json) with { Location = $"Bundle.entry[{i}]" })], default);

    public async Task<Outcome<WriteOutcome>> DeleteAsync(string reference)
    {
        ResourceKey.TryParse(reference, out var key);
        return (await Store.WriteAsync([new WriteRequest.Delete(key, null)], default)).TryGet(out var outcomes, out var failure) ? outcomes[0] : failure;
    }

    public Task<Reply> BookAsync(JsonObject body, string client = "app", string? key = null, SchedulingDialect dialect = SchedulingDialect.Default) =>
        InvokeAsync(SchedulingOperation.Book, body, client: client, key: key, dialect: dialect);

    public Task<Reply> HoldAsync(JsonObject body, string client = "app", string? key = null) => InvokeAsync(SchedulingOperation.Hold, body, client: client, key: key);

    public Task<Reply> CancelAsync(string id, JsonObject? body = null, string client = "app") => InvokeAsync(SchedulingOperation.Cancel, body, id, client);

    public Task<Reply> FindAsync(string query, bool strict = false, SchedulingDialect dialect = SchedulingDialect.Default) =>
        InvokeAsync(SchedulingOperation.Find, null, query: query, strict: strict, dialect: dialect);

    public async Task<Reply> InvokeAsync(
        SchedulingOperation operation, JsonObject? body, string? id = null, string client = "app", string? key = null, string query = "", bool strict = false,
        SchedulingDialect dialect = SchedulingDialect.Default, PreferReturn prefer = PreferReturn.Representation, bool mayCreatePatient = false)
    {
        var outcome = await Api.InvokeAsync(new()
        {
            Operation = operation,
            InstanceId = id,
            Query = QueryText.Parse(query),
            Body = body is null ? null : JsonSerializer.SerializeToElement(body),
            ClientId = client,
            IdempotencyKey = key,
            BaseUrl = BaseUrl,
            Strict = strict,
            Dialect = dialect,
            PreferReturn = prefer,
            MayCreatePatient = mayCreatePatient,
        }, default);
        return outcome.TryGet(out var reply, out var failure) ? new(reply.Status, reply.Body is { } bytes ? JsonNode.Parse(bytes.Span)!.AsObject() : null, null, reply) : new(failure.Status, null, failure, null);
    }

    public async Task<JsonObject> GetAsync(string reference)
    {
        ResourceKey.TryParse(reference, out var key);
        var stored = await Store.ReadAsync(key, default);
        Assert.NotNull(stored);
        Assert.False(stored.Deleted, $"{reference} is deleted.");
        return JsonNode.Parse(stored.Json.Span)!.AsObject();
    }

    public async Task<string> StatusAsync(string reference) => (string)(await GetAsync(reference))["status"]!;

    /// <summary>All current resources of a type.</summary>
    public async Task<List<JsonObject>> AllAsync(string type) =>
        [.. (await Store.QueryAsync(new(type, Predicate.Everything, RecordOrder.ById, null, 10_000), default)).Resources.Select(r => JsonNode.Parse(r.Json.Span)!.AsObject())];

    /// <summary>Slots of a schedule as <c>hh:mm-hh:mm status</c>, by start.</summary>
    public async Task<List<string>> DayAsync(string schedule) =>
        [.. (await AllAsync("Slot")).Where(s => (string)s["schedule"]!["reference"]! == $"Schedule/{schedule}")
            .Select(s => (Start: DateTimeOffset.Parse((string)s["start"]!, null), End: DateTimeOffset.Parse((string)s["end"]!, null), Status: (string)s["status"]!))
            .OrderBy(s => s.Start).Select(s => $"{s.Start.UtcDateTime:HH:mm}-{s.End.UtcDateTime:HH:mm} {s.Status}")];

    public void Dispose() => _keys.Dispose();

    private static async Task<Clinic> OpenAsync(IRecordStore records, TestVault vault, TestClock clock, SchedulingOptions options) =>
        new(records, vault, await StoreKeys.OpenAsync(records, vault, clock, default), clock, options);

    private static WriteRequest Request(string json)
    {
        var parsed = ResourceParser.Parse(Encoding.UTF8.GetBytes(json), null);
        if (!parsed.TryGet(out var resource, out var failure))
        {
            throw new InvalidOperationException(string.Join(' ', failure.Issues.Select(i => $"{i.Expression}: {i.Diagnostics}")));
        }
        return resource.Id is { } id ? new WriteRequest.Update(new(resource.Type, id), resource, null) : new WriteRequest.Create(resource, []);
    }

    private static string Text(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

internal sealed record Reply(int Status, JsonObject? Body, FhirFailure? Failure, SchedulingReply? Raw)
{
    public string Id => (string)Appointment["id"]!;

    /// <summary>The appointment of the reply, bare or in a Bundle.</summary>
    public JsonObject Appointment => Body is null ? throw new InvalidOperationException($"{Status}: {Failure?.Issues[0].Diagnostics}")
        : (string)Body["resourceType"]! == "Appointment" ? Body
        : Body["entry"]!.AsArray().Select(e => e!["resource"]!.AsObject()).Single(r => (string)r["resourceType"]! == "Appointment");

    public List<JsonObject> Appointments =>
        [.. Body!["entry"]!.AsArray().Select(e => e!["resource"]!.AsObject()).Where(r => (string)r["resourceType"]! == "Appointment")];

    public string? Detail => Failure?.Issues[0].Detail;

    public string Text => Failure is null ? Body?.ToJsonString() ?? "" : string.Join(' ', Failure.Issues.Select(i => i.Diagnostics));
}
