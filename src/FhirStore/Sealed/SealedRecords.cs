using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Sealed;

/// <summary>One opened record and the version it has in the store.</summary>
public sealed record Sealed<T>(string Id, long Version, T Value);

/// <param name="Opened">In their order.</param>
/// <param name="Closed">Id and version of those that cannot be opened: whose data they were was erased, or they are damaged.</param>
public sealed record SealedPage<T>(IReadOnlyList<Sealed<T>> Opened, IReadOnlyList<(string Id, long Version)> Closed);

/// <summary>
/// The server's own records of one type: JSON bodies sealed before they reach the engine, found by id or by index entries,
/// changed only at the version that was read.
/// </summary>
/// <param name="type">Begins with an underscore.</param>
/// <param name="index">Adds the entries a record is found by. Whatever could name a person or a client goes in as a token.</param>
/// <param name="subject">Id of the Patient whose data a value is: sealed under that patient's key, it is erased with it. Null for the server's own.</param>
public sealed class SealedRecords<T>(
    IRecordStore records, RecordCipher cipher, TimeProvider clock, string type, JsonTypeInfo<T> json, Action<T, IndexEntries.Builder> index,
    Func<T, string?>? subject = null)
    where T : class
{
    private const int PageSize = 200;

    public async ValueTask<Sealed<T>?> FindAsync(string id, CancellationToken ct)
    {
        ct = RequestToken.Or(ct);
        if (!FhirIds.IsValid(id))
        {
            return null;
        }
        var record = await records.GetAsync(new(type, id), ct);
        return record is null or { Deleted: true } ? null : await OpenAsync(record, ct);
    }

    /// <summary>All that match, by id.</summary>
    public async IAsyncEnumerable<Sealed<T>> QueryAsync(Predicate where, [EnumeratorCancellation] CancellationToken ct)
    {
        ct = RequestToken.Or(ct);
        RecordCursor? after = null;
        do
        {
            var page = await records.QueryAsync(new(type, where, RecordOrder.ById, after, PageSize), ct);
            foreach (var record in page.Records)
            {
                yield return await OpenAsync(record, ct);
            }
            after = page.Next;
        }
        while (after is not null);
    }

    /// <summary>The first that match, by id.</summary>
    /// <param name="afterId">Only ids behind this one.</param>
    /// <param name="limit">Most records, 1 to 10,000.</param>
    public async ValueTask<IReadOnlyList<Sealed<T>>> PageAsync(Predicate where, string? afterId, int limit, CancellationToken ct)
    {
        ct = RequestToken.Or(ct);
        var page = await records.QueryAsync(new(type, where, RecordOrder.ById, afterId is null ? null : new(default, afterId), limit), ct);
        var opened = new List<Sealed<T>>(page.Records.Count);
        foreach (var record in page.Records)
        {
            opened.Add(await OpenAsync(record, ct));
        }
        return opened;
    }

    public async ValueTask<Sealed<T>?> FirstAsync(Predicate where, CancellationToken ct)
    {
        ct = RequestToken.Or(ct);
        var page = await records.QueryAsync(new(type, where, RecordOrder.ById, null, 1), ct);
        return page.Records.Count == 0 ? null : await OpenAsync(page.Records[0], ct);
    }

    /// <summary>Whether any record matches; nothing is opened.</summary>
    public async ValueTask<bool> AnyAsync(Predicate where, CancellationToken ct) => await records.CountAsync(type, where, 1, RequestToken.Or(ct)) > 0;

    /// <summary>The first of an order. One that cannot be opened does not hide the others.</summary>
    /// <param name="limit">Most records, 1 to 10,000.</param>
    public async ValueTask<SealedPage<T>> FirstAsync(Predicate where, RecordOrder order, int limit, CancellationToken ct)
    {
        var page = await records.QueryAsync(new(type, where, order, null, limit), RequestToken.Or(ct));
        var opened = new List<Sealed<T>>(page.Records.Count);
        var closed = new List<(string, long)>();
        foreach (var record in page.Records)
        {
            try
            {
                opened.Add(await OpenAsync(record, ct));
            }
            catch (StoreCorruptException)
            {
                closed.Add((record.Key.Id, record.Version));
            }
        }
        return new(opened, closed);
    }

    public ValueTask<long> CountAsync(CancellationToken ct) => records.CountAsync(type, Predicate.Everything, long.MaxValue, RequestToken.Or(ct));

    /// <param name="expected">The version that was read; 0 for a new record.</param>
    /// <param name="unless">Nothing is written where another record matches this.</param>
    /// <returns>False when the record stands at another version, or another one matches <paramref name="unless"/>.</returns>
    public async Task<bool> TryWriteAsync(string id, T value, long expected, Predicate? unless, CancellationToken ct)
    {
        ct = RequestToken.Or(ct);
        var key = new ResourceKey(type, id);
        ImmutableArray<RecordCondition> conditions = unless is null ? [] : [new RecordCondition.NoneMatch(type, unless, [id])];
        var keyWrites = new List<RecordWrite>();
        while (true)
        {
            var write = await SealAsync(id, value, expected, keyWrites, ct);
            var commit = new Commit([write, .. keyWrites], conditions, []);
            var result = await records.CommitAsync(commit, ct);
            if (result is not CommitResult.VersionConflict conflict || conflict.Key == key)
            {
                return result is CommitResult.Done;
            }
            keyWrites.Clear(); // another process made the data key first: seal under that one
        }
    }

    /// <summary>The write as part of a larger commit.</summary>
    /// <param name="expected">The version that was read; 0 for a new record.</param>
    /// <param name="keyWrites">Receives what must be written in the same commit. Where that commit finds one of them there already, another process was first: seal again.</param>
    public async ValueTask<RecordWrite> SealAsync(string id, T value, long expected, List<RecordWrite> keyWrites, CancellationToken ct)
    {
        var key = new ResourceKey(type, id);
        var now = clock.GetUtcNow();
        now = new(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);
        var builder = new IndexEntries.Builder();
        index(value, builder);
        var entries = builder.Build();
        var patient = subject?.Invoke(value);
        var record = new StoredRecord
        {
            Key = key,
            Version = expected + 1,
            LastUpdated = now,
            Partition = patient ?? id,
            Body = await cipher.SealAsync(key, expected + 1, now, patient, entries, JsonSerializer.SerializeToUtf8Bytes(value, json), keyWrites, ct),
            Index = entries,
        };
        return new(record, expected, false, expected == 0 ? "create" : "update");
    }

    /// <summary>Removes it without a trace.</summary>
    /// <returns>False when the record stands at another version.</returns>
    public async Task<bool> TryRemoveAsync(string id, long version, CancellationToken ct)
    {
        var key = new ResourceKey(type, id);
        return await records.CommitAsync(new([], [new RecordCondition.VersionIs(key, version)], [key]), RequestToken.Or(ct)) is CommitResult.Done;
    }

    private async ValueTask<Sealed<T>> OpenAsync(StoredRecord record, CancellationToken ct)
    {
        var plain = await cipher.OpenAsync(record, ct);
        var value = JsonSerializer.Deserialize(plain.Span, json) ?? throw new StoreCorruptException($"{record.Key} holds no value.");
        return new(record.Key.Id, record.Version, value);
    }
}
