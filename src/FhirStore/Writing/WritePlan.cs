using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using FhirCore.Records;
using FhirStore.Access;

namespace FhirStore.Writing;

/// <summary>One resource as it will be written.</summary>
public sealed class PlannedWrite
{
    internal PlannedWrite(ResourceKey key, StoredResource? previous, JsonElement? resource, string cause, string? location)
    {
        Key = key;
        Previous = previous;
        Resource = resource;
        Cause = cause;
        Location = location;
    }

    public ResourceKey Key { get; }

    /// <summary>The current version it replaces, a tombstone included; null where there never was one.</summary>
    public StoredResource? Previous { get; }

    /// <summary>Null for a deletion. Its id and meta are not yet those that will be stored.</summary>
    public JsonElement? Resource { get; private set; }

    public string Cause { get; set; }

    public string? Location { get; }

    /// <summary>Set by a rule that has made sure of this write itself (an operation's own), so that no rule looks at it again.</summary>
    public bool Vouched { get; set; }

    /// <summary>What the caller is about to do; null where the write is the server's own (a slot that follows its appointment).</summary>
    public Use? AskedFor { get; set; }

    /// <summary>See <see cref="WriteRequest.InNameOf"/>.</summary>
    public KeptGrant? InNameOf { get; init; }

    public void Replace(JsonObject resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        Resource = JsonSerializer.SerializeToElement(resource);
    }
}

/// <summary>
/// What one commit will do, while it is being made. Whatever is read through the plan is part of the commit's conditions:
/// if it changes before the commit, the whole plan is made again.
/// </summary>
public sealed class WritePlan
{
    private readonly ResourceStore _store;
    private readonly Dictionary<ResourceKey, PlannedWrite> _byKey = [];
    private readonly Dictionary<ResourceKey, StoredResource?> _read = [];

    internal WritePlan(ResourceStore store, ICaller? caller)
    {
        _store = store;
        Caller = caller;
    }

    /// <summary>Who asks for it; null is not limited.</summary>
    public ICaller? Caller { get; }

    /// <summary>In the order of the requests, then those that rules added.</summary>
    public List<PlannedWrite> Writes { get; } = [];

    /// <summary>What must hold at the moment of the commit beside the versions read; see <see cref="Require"/>.</summary>
    internal List<(RecordCondition.NoneMatch Condition, Func<ResourceKey, FhirFailure>? Refusal)> Conditions { get; } = [];

    /// <summary>Records of the server's own (idempotency, claims) to write in the same commit.</summary>
    public List<RecordWrite> InternalWrites { get; } = [];

    /// <summary>Stamps that the commit moves (<see cref="Commit.Stamps"/>), beside those that its resources move by themselves.</summary>
    public List<string> Stamps { get; } = [];

    internal IReadOnlyDictionary<ResourceKey, StoredResource?> ReadSet => _read;

    /// <summary>The commit fails if a record matches.</summary>
    /// <param name="refusal">
    /// The answer when one does. Null makes the whole plan again, which must then see the record by itself and decide otherwise.
    /// </param>
    public void Require(RecordCondition.NoneMatch condition, Func<ResourceKey, FhirFailure>? refusal = null) => Conditions.Add((condition, refusal));

    public PlannedWrite? Find(ResourceKey key) => _byKey.GetValueOrDefault(key);

    /// <summary>The stored version (not what the plan will write); its version becomes a condition of the commit.</summary>
    /// <returns>Null where there never was one; a tombstone where it is deleted.</returns>
    public async ValueTask<StoredResource?> ReadAsync(ResourceKey key, CancellationToken ct)
    {
        if (_byKey.TryGetValue(key, out var planned))
        {
            return planned.Previous;
        }
        if (!_read.TryGetValue(key, out var found))
        {
            found = await _store.ReadAsync(key, ct);
            _read.Add(key, found);
        }
        return found;
    }

    /// <summary>What a deleted resource was last.</summary>
    internal ValueTask<StoredResource?> ContentBeforeAsync(StoredResource deletion, CancellationToken ct) => _store.ReadContentAsync(deletion, ct);

    /// <summary>Adds a write of a resource that the plan does not write yet.</summary>
    /// <exception cref="ArgumentException">The plan writes it already.</exception>
    public async ValueTask<PlannedWrite> AddAsync(ResourceKey key, JsonObject? resource, string cause, CancellationToken ct)
    {
        var previous = await ReadAsync(key, ct);
        return Add(new PlannedWrite(key, previous, resource is null ? null : JsonSerializer.SerializeToElement(resource), cause, null));
    }

    internal PlannedWrite Add(PlannedWrite write)
    {
        _byKey.Add(write.Key, write);
        Writes.Add(write);
        _read.Remove(write.Key);
        return write;
    }
}
