using System.Text.Json;
using System.Text.Json.Serialization;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Json;
using FhirStore.Sealed;

namespace Authorization.AppState;

/// <summary>A state as its sealed record holds it: that of a patient goes when the patient's key goes.</summary>
public sealed class StoredState
{
    public required string System { get; set; }

    public required string Code { get; set; }

    /// <summary>Such as <c>Patient/123</c>; null for a state of the app as a whole.</summary>
    public string? Subject { get; set; }

    [JsonIgnore]
    public StateKey Key => new(System, Code, Subject is null ? null : ResourceKey.TryParse(Subject, out var subject) ? subject : throw new InvalidDataException("A state is of nobody."));

    /// <summary>The Basic as apps get it, id and version included.</summary>
    public required byte[] Json { get; set; }

    public DateTimeOffset At { get; set; }
}

/// <summary>What states are found by: all of it tells whose, so all of it is tokens.</summary>
public sealed class StateIndex(IndexTokens tokens)
{
    public const string RecordType = "_AppState";
    private readonly TokenField _code = new(tokens, RecordType, "code");
    private readonly TokenField _subject = new(tokens, RecordType, "subject");

    public Predicate Is(StateKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new Predicate.AllOf([_code.Is(key.Token), _subject.Is(SubjectOf(key))]);
    }

    public void Add(StoredState state, IndexEntries.Builder entries)
    {
        ArgumentNullException.ThrowIfNull(state);
        _code.Add(entries, state.Key.Token);
        _subject.Add(entries, SubjectOf(state.Key));
    }

    private static string SubjectOf(StateKey key) => key.Subject?.ToString() ?? "none";
}

/// <summary>Keeps what apps leave here for themselves, apart from the Basic resources of the FHIR server.</summary>
public sealed class AppStates(SealedRecords<StoredState> records, StateIndex index, TimeProvider clock)
{
    public ValueTask<Sealed<StoredState>?> FindAsync(string id, CancellationToken ct) => records.FindAsync(id, ct);

    /// <summary>By id.</summary>
    public async Task<IReadOnlyList<Sealed<StoredState>>> ListAsync(StateKey key, CancellationToken ct)
    {
        var all = new List<Sealed<StoredState>>();
        await foreach (var state in records.QueryAsync(index.Is(key), ct))
        {
            all.Add(state);
        }
        return all;
    }

    /// <param name="basic">Checked by <see cref="StateRules"/>.</param>
    public async Task<Outcome<Sealed<StoredState>>> CreateAsync(StateKey key, JsonElement basic, CancellationToken ct)
    {
        if ((await ListAsync(key, ct)).Count >= StateRules.MostOfOne)
        {
            return FhirFailure.Of(FailureKind.Conflict, $"There are {StateRules.MostOfOne} states of this code and subject, which is the most. Change or delete one.", "Basic.code", "too-long");
        }
        return await TryWriteAsync(FhirIds.New(clock), key, basic, 0, ct) ?? throw new InvalidOperationException("A new state has the id of another one.");
    }

    /// <returns>Null where it stands at another version by then.</returns>
    public Task<Sealed<StoredState>?> TryUpdateAsync(Sealed<StoredState> known, JsonElement basic, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(known);
        return TryWriteAsync(known.Id, known.Value.Key, basic, known.Version, ct);
    }

    /// <returns>False where it stands at another version by then.</returns>
    public Task<bool> TryDeleteAsync(Sealed<StoredState> known, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(known);
        return records.TryRemoveAsync(known.Id, known.Version, ct);
    }

    private async Task<Sealed<StoredState>?> TryWriteAsync(string id, StateKey key, JsonElement basic, long expected, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var at = now.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerMillisecond));
        var state = new StoredState { System = key.System, Code = key.Code, Subject = key.Subject?.ToString(), Json = CanonicalJson.Write(basic, id, expected + 1, at), At = at };
        return await records.TryWriteAsync(id, state, expected, null, ct) ? new(id, expected + 1, state) : null;
    }
}
