using System.Collections.Immutable;
using FhirCore;
using FhirCore.Records;
using FhirStore.Writing;

namespace FhirStore;

/// <summary>Reads and writes resources. Whatever the route, a write ends in <see cref="WriteAsync"/> or <see cref="CommitPlanAsync"/>.</summary>
public sealed class ResourceStore
{
    /// <returns>The current version, a tombstone included; null where there never was one.</returns>
    public ValueTask<StoredResource?> ReadAsync(ResourceKey key, CancellationToken ct) => throw new NotImplementedException();

    public ValueTask<StoredResource?> ReadVersionAsync(ResourceKey key, long version, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Newest first. Null type: the whole store; null id: the whole type.</summary>
    public ValueTask<ResourceHistory> HistoryAsync(string? type, string? id, DateTimeOffset? since, long? before, int limit, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>For operations that know their index fields (see <c>Indexing/OperationalFields.cs</c>): opened resources of a record query.</summary>
    public ValueTask<ResourcePage> QueryAsync(RecordQuery query, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>All requests in one commit, or none; several are a transaction: the same resource twice is refused.</summary>
    /// <returns>An outcome for each request, in order.</returns>
    public Task<Outcome<ImmutableArray<WriteOutcome>>> WriteAsync(ImmutableArray<WriteRequest> requests, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>
    /// For operations: <paramref name="build"/> reads and plans, the plan passes the rules and is committed; when something it read
    /// has changed meanwhile it is called again with a new plan.
    /// </summary>
    /// <returns>What <paramref name="build"/> made last, with the written resources by key.</returns>
    public Task<Outcome<PlanResult<T>>> CommitPlanAsync<T>(Func<WritePlan, CancellationToken, ValueTask<Outcome<T>>> build, CancellationToken ct) => throw new NotImplementedException();
}

/// <param name="Next">To be given as <c>before</c> for the next page; null at the end.</param>
public sealed record ResourceHistory(ImmutableArray<StoredResource> Versions, long? Next);

public sealed record ResourcePage(ImmutableArray<StoredResource> Resources, RecordCursor? Next);

public sealed record PlanResult<T>(T Value, ImmutableDictionary<ResourceKey, StoredResource> Written);
