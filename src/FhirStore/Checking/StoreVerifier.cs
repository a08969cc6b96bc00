using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Indexing;

namespace FhirStore.Checking;

/// <summary>
/// Looks at every row of a store: opens every body, computes the index entries again, and compares each current record with the
/// journal. Memory grows with the number of resources, about 200 bytes for each.
/// </summary>
public sealed class StoreVerifier(IRecordStore store, RecordCipher cipher, ResourceIndexer indexer)
{
    private const int TellEvery = 500;
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 1_000 };

    private readonly IStoreCopy _rows = store as IStoreCopy ?? throw new ArgumentException($"{store.GetType().Name} cannot be walked.", nameof(store));
    private readonly Dictionary<ResourceKey, (long Version, long Sequence)> _newest = [];
    private readonly Dictionary<DamageKind, long> _damages = [];
    private Action<Damage> _found = _ => { };
    private long _changes;
    private long _records;
    private long _unsealed;
    private long _last;

    /// <param name="found">Called for each damage.</param>
    /// <param name="tell">Called now and then with the rows done and about how many there are.</param>
    public async Task<CheckReport> RunAsync(Action<Damage> found, Action<long, long> tell, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(found);
        ArgumentNullException.ThrowIfNull(tell);
        _found = found;
        var extent = await _rows.MeasureAsync(ct);
        var about = extent.Journal + extent.Records;
        var isGapless = extent.IsGapless && await store.GetAsync(IStoreCopy.GapsKey, ct) is null;
        try
        {
            await foreach (var row in _rows.ReadAsync(StorePosition.Start, ct))
            {
                if (row is StoreRow.Current current)
                {
                    await CheckAsync(current, extent.LogEnd, ct);
                }
                else if (row is StoreRow.Journal journal && journal.Change.Sequence <= extent.LogEnd)
                {
                    await CheckAsync(journal, isGapless, ct);
                }
                if ((_changes + _records) % TellEvery == 0)
                {
                    tell(_changes + _records, about);
                }
            }
            if (isGapless && _last != extent.LogEnd)
            {
                Report(DamageKind.Missing, null, 0, $"changes {_last + 1} to {extent.LogEnd} are missing");
            }
            foreach (var (key, newest) in _newest)
            {
                Report(DamageKind.Missing, key, newest.Version, "its current version is missing");
            }
            await CheckEngineAsync(ct);
        }
        catch (StoreCorruptException)
        {
            Report(DamageKind.Engine, null, 0, $"the engine stopped reading after {_changes} changes and {_records} records: what follows was not checked");
        }
        return new(_changes, _records, _unsealed, extent.LogEnd, _damages);
    }

    private async ValueTask CheckAsync(StoreRow.Journal row, bool isGapless, CancellationToken ct)
    {
        var (change, version) = row;
        _changes++;
        if (isGapless && change.Sequence != _last + 1)
        {
            Report(DamageKind.Missing, null, 0, change.Sequence == _last + 2 ? $"change {_last + 1} is missing" : $"changes {_last + 1} to {change.Sequence - 1} are missing");
        }
        _last = change.Sequence;
        if (!IsResource(change.Key))
        {
            return;
        }
        var before = _newest.GetValueOrDefault(change.Key).Version;
        if (change.Version != before + 1)
        {
            Report(DamageKind.Missing, change.Key, before + 1, $"change {change.Sequence} made version {change.Version} of it, where {before + 1} belongs");
        }
        _newest[change.Key] = (change.Version, change.Sequence);
        if (version is null)
        {
            Report(DamageKind.Missing, change.Key, change.Version, "the version is missing");
        }
        else if (version.Deleted != change.Deleted || version.LastUpdated != change.At || version.Partition != change.Partition)
        {
            Report(DamageKind.Disagreement, change.Key, change.Version, "the version is not as its change says");
        }
        else
        {
            await TryOpenAsync(version, ct);
        }
    }

    private async ValueTask CheckAsync(StoreRow.Current row, long logEnd, CancellationToken ct)
    {
        var (record, sequence) = row;
        _records++;
        if (!IsResource(record.Key))
        {
            await CheckOwnAsync(record, ct);
            return;
        }
        if (sequence <= logEnd) // else it was written while we read
        {
            var known = _newest.TryGetValue(record.Key, out var newest);
            if (!known)
            {
                Report(DamageKind.Missing, record.Key, record.Version, "no change tells of it");
            }
            else if (record.Version < newest.Version || sequence < newest.Sequence)
            {
                Report(DamageKind.RolledBack, record.Key, record.Version, $"version {newest.Version} was written after it");
            }
            else if (record.Version > newest.Version || sequence != newest.Sequence)
            {
                Report(DamageKind.Missing, record.Key, record.Version, "no change tells of this version");
            }
        }
        _newest.Remove(record.Key);
        // Opened without its entries, so that a body with wrong ones is still told from a body that does not open.
        if (await TryOpenAsync(record with { Index = IndexEntries.None }, ct) is { } json && !IsIndexOf(record, json))
        {
            Report(DamageKind.WrongIndex, record.Key, record.Version, "its index entries are not those of the resource");
        }
    }

    /// <summary>Keys are read for their form; that they open shows when the bodies under them do.</summary>
    private async ValueTask CheckOwnAsync(StoredRecord record, CancellationToken ct)
    {
        if (record.Key.Type is KeyRecords.KeyType or KeyRecords.DataKeyType)
        {
            try
            {
                KeyRecords.Read(record);
            }
            catch (StoreCorruptException) when (!record.Deleted)
            {
                Report(DamageKind.Unreadable, record.Key, record.Version, "the key record cannot be read");
            }
        }
        else if (RecordCipher.LooksSealed(record.Body.Span))
        {
            await TryOpenAsync(record, ct);
        }
        else
        {
            _unsealed++;
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>?> TryOpenAsync(StoredRecord record, CancellationToken ct)
    {
        if (record.Deleted && record.Body.IsEmpty)
        {
            return null;
        }
        try
        {
            return await cipher.OpenAsync(record, ct);
        }
        catch (StoreCorruptException)
        {
            Report(DamageKind.Unreadable, record.Key, record.Version, "its body cannot be opened: altered, another row's, or its key is gone");
            return null;
        }
    }

    private bool IsIndexOf(StoredRecord record, ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, Depth);
        return indexer.Index(record.Key, record.LastUpdated, document.RootElement).Block.Span.SequenceEqual(record.Index.Block.Span);
    }

    private async ValueTask CheckEngineAsync(CancellationToken ct)
    {
        if (store is IStoreSelfCheck engine)
        {
            await foreach (var disagreement in engine.DisagreementsAsync(ct))
            {
                Report(DamageKind.Disagreement, disagreement.Key, 0, disagreement.What);
            }
        }
    }

    private static bool IsResource(ResourceKey key) => !key.Type.StartsWith('_');

    private void Report(DamageKind kind, ResourceKey? key, long version, string what)
    {
        _damages[kind] = _damages.GetValueOrDefault(kind) + 1;
        _found(new(kind, key, version, what));
    }
}
