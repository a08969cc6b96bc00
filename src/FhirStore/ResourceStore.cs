using System.Collections.Immutable;
using FhirCore;
using FhirCore.Records;
using FhirStore.Access;
using FhirStore.Caching;
using FhirStore.Checking;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Search;
using FhirStore.Writing;

namespace FhirStore;

/// <summary>Reads and writes resources. Whatever the route, a write ends in <see cref="WriteAsync"/> or <see cref="CommitPlanAsync"/>.</summary>
public sealed class ResourceStore
{
    private readonly IRecordStore _records;
    private readonly RecordOpener _opener;
    private readonly RequestResolver _resolver;
    private readonly PlanCommitter _committer;
    private readonly RecentResources? _recent;

    /// <param name="recent">Null reads and decrypts every time.</param>
    public ResourceStore(
        IRecordStore records, RecordCipher cipher, ResourceIndexer indexer, SearchService search, IEnumerable<IWriteRule> rules, TimeProvider clock,
        RecentResources? recent = null)
    {
        _recent = recent;
        _records = records;
        _opener = new(cipher, recent);
        _resolver = new(search, clock);
        _committer = new(records, cipher, indexer, [.. rules], clock);
    }

    /// <returns>The current version, a tombstone included; null where there never was one.</returns>
    public ValueTask<StoredResource?> ReadAsync(ResourceKey key, CancellationToken ct) =>
        _recent is not null && _recent.TryGet(key, out var resource) ? new(resource) : FetchAsync(key, ct);

    public async ValueTask<StoredResource?> ReadVersionAsync(ResourceKey key, long version, CancellationToken ct) =>
        await _records.GetVersionAsync(key, version, ct) is { } record ? await OpenAsync(record, ct) : null;

    /// <summary>What access is decided on: the version itself; of a deletion the last content before it.</summary>
    /// <returns>Null where nothing is left of it.</returns>
    public async ValueTask<StoredResource?> ReadContentAsync(StoredResource version, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(version);
        for (var number = version.Version - 1; version is { Deleted: true }; number--)
        {
            if (number == 0 || await ReadVersionAsync(version.Key, number, ct) is not { } before)
            {
                return null;
            }
            version = before;
        }
        return version;
    }

    /// <summary>Newest first. Null type: the whole store; null id: the whole type.</summary>
    public async ValueTask<ResourceHistory> HistoryAsync(string? type, string? id, DateTimeOffset? since, long? before, int limit, CancellationToken ct)
    {
        var page = await _records.HistoryAsync(new(type, id, since, before, limit), ct);
        VersionChain.Check(page.Versions);
        if (type is not null && id is not null && before is null && page.Versions is [var newest, ..])
        {
            // Read after the history, so that it can only be newer, unless an old row was put back.
            VersionChain.Check(newest, await _records.GetAsync(newest.Key, ct));
        }
        return new(await OpenAllAsync(page.Versions, ct), page.Next);
    }

    /// <summary>For operations that know their index fields (see <c>Indexing/OperationalFields.cs</c>): opened resources of a record query.</summary>
    public async ValueTask<ResourcePage> QueryAsync(RecordQuery query, CancellationToken ct)
    {
        var page = await _records.QueryAsync(query, ct);
        return new(await OpenAllAsync(page.Records, ct), page.Next);
    }

    /// <summary>All requests in one commit, or none; several are a transaction: the same resource twice is refused.</summary>
    /// <returns>An outcome for each request, in order.</returns>
    public Task<Outcome<ImmutableArray<WriteOutcome>>> WriteAsync(ImmutableArray<WriteRequest> requests, CancellationToken ct) => WriteAsync(requests, [], null, ct);

    /// <param name="caller">Who asks: all that is written must be within their reach. Null is not limited.</param>
    public Task<Outcome<ImmutableArray<WriteOutcome>>> WriteAsync(ImmutableArray<WriteRequest> requests, ICaller? caller, CancellationToken ct) => WriteAsync(requests, [], caller, ct);

    /// <param name="alongside">Records of the server's own that stand or fall with the requests: how far an import has come.</param>
    public Task<Outcome<ImmutableArray<WriteOutcome>>> WriteAsync(ImmutableArray<WriteRequest> requests, ImmutableArray<RecordWrite> alongside, CancellationToken ct) =>
        WriteAsync(requests, alongside, null, ct);

    private async Task<Outcome<ImmutableArray<WriteOutcome>>> WriteAsync(
        ImmutableArray<WriteRequest> requests, ImmutableArray<RecordWrite> alongside, ICaller? caller, CancellationToken ct)
    {
        var done = await CommitPlanAsync(
            caller,
            (plan, token) =>
            {
                plan.InternalWrites.AddRange(alongside);
                return _resolver.ResolveAsync(requests, plan, token);
            },
            ct);
        if (!done.TryGet(out var result, out var failure))
        {
            return failure;
        }
        var outcomes = ImmutableArray.CreateBuilder<WriteOutcome>(requests.Length);
        foreach (var resolved in result.Value)
        {
            outcomes.Add(resolved.Key is { } key ? new(resolved.Kind, result.Written[key]) : new(resolved.Kind, resolved.Found));
        }
        return outcomes.MoveToImmutable();
    }

    /// <summary>
    /// For operations: <paramref name="build"/> reads and plans, the plan passes the rules and is committed; when something it read
    /// has changed meanwhile it is called again with a new plan.
    /// </summary>
    /// <returns>What <paramref name="build"/> made last, with the written resources by key.</returns>
    public Task<Outcome<PlanResult<T>>> CommitPlanAsync<T>(Func<WritePlan, CancellationToken, ValueTask<Outcome<T>>> build, CancellationToken ct) =>
        CommitPlanAsync(null, build, ct);

    /// <param name="caller">Of the plan's writes those that are <see cref="PlannedWrite.AskedFor"/> must be within their reach. Null is not limited.</param>
    /// <inheritdoc cref="CommitPlanAsync{T}(Func{WritePlan, CancellationToken, ValueTask{Outcome{T}}}, CancellationToken)"/>
    public Task<Outcome<PlanResult<T>>> CommitPlanAsync<T>(ICaller? caller, Func<WritePlan, CancellationToken, ValueTask<Outcome<T>>> build, CancellationToken ct) =>
        _committer.RunAsync(() => new WritePlan(this, caller), build, ct);

    private async ValueTask<StoredResource?> FetchAsync(ResourceKey key, CancellationToken ct)
    {
        var mark = _recent?.Mark(key) ?? 0;
        if (await _records.GetAsync(key, ct) is not { } record)
        {
            return null;
        }
        var resource = await OpenAsync(record, ct);
        _recent?.Put(record, resource, mark);
        return resource;
    }

    private async ValueTask<StoredResource> OpenAsync(StoredRecord record, CancellationToken ct) =>
        new(record.Key, record.Version, record.LastUpdated, record.Deleted, record.Deleted ? default : await _opener.OpenAsync(record, ct)) { Partition = record.Partition };

    private async ValueTask<ImmutableArray<StoredResource>> OpenAllAsync(IReadOnlyList<StoredRecord> records, CancellationToken ct)
    {
        var opened = ImmutableArray.CreateBuilder<StoredResource>(records.Count);
        foreach (var record in records)
        {
            opened.Add(await OpenAsync(record, ct));
        }
        return opened.MoveToImmutable();
    }
}

/// <param name="Next">To be given as <c>before</c> for the next page; null at the end.</param>
public sealed record ResourceHistory(ImmutableArray<StoredResource> Versions, long? Next);

public sealed record ResourcePage(ImmutableArray<StoredResource> Resources, RecordCursor? Next);

public sealed record PlanResult<T>(T Value, IReadOnlyDictionary<ResourceKey, StoredResource> Written);
