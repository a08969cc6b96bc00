using System.Runtime.CompilerServices;
using FhirCore;
using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Querying;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Copying;

/// <summary>Reads everything, in the order of <see cref="IStoreCopy"/>, a batch at a time so that no iterator is held across a wait.</summary>
internal sealed class RowReading(ReadView view, TypeNumbers types)
{
    private const int BatchRows = 500;
    private const int BatchBytes = 4 << 20;

    public async IAsyncEnumerable<StoreRow> ReadAsync(StorePosition after, [EnumeratorCancellation] CancellationToken ct)
    {
        var versions = new VersionReader(view, types);
        while (after.IsInJournal)
        {
            var changes = versions.Changes(after.Sequence, BatchRows, ct);
            foreach (var change in changes)
            {
                yield return new StoreRow.Journal(change, versions.Made(change));
            }
            after = changes.Count > 0 ? new(changes[^1].Sequence, null) : new(long.MaxValue, null);
            await Task.Yield();
        }
        foreach (var type in types.Names.Order(StringComparer.Ordinal))
        {
            if (after.Key is { } key && string.CompareOrdinal(type, key.Type) < 0)
            {
                continue;
            }
            var from = after.Key is { } last && last.Type == type ? last.Id : null;
            while (true)
            {
                var batch = Batch(type, from);
                foreach (var row in batch)
                {
                    ct.ThrowIfCancellationRequested();
                    if (row.Record.Key != IStoreCopy.MarkKey)
                    {
                        yield return row;
                    }
                }
                if (batch.Count == 0)
                {
                    break;
                }
                from = batch[^1].Record.Key.Id;
                await Task.Yield();
            }
        }
    }

    /// <summary>The records of a type that follow the id.</summary>
    private List<StoreRow.Current> Batch(string type, string? after)
    {
        var batch = new List<StoreRow.Current>();
        var bytes = 0;
        types.TryGet(type, out var number);
        Span<byte> key = stackalloc byte[RowKeys.MaxLength];
        using var rows = view.Rows(Family.Records, key[..RowKeys.Type(key, number)]);
        if (after is null)
        {
            rows.First();
        }
        else
        {
            var length = RowKeys.Record(key, number, after);
            key[length] = 0; // the first key behind it
            rows.Seek(key[..(length + 1)]);
        }
        for (; rows.Valid && batch.Count < BatchRows && bytes < BatchBytes; rows.Next())
        {
            var own = rows.Value.ToArray();
            var row = new RecordRow(own);
            var id = System.Text.Encoding.ASCII.GetString(rows.Key[RowKeys.TypeLength..]);
            batch.Add(new(row.ToRecord(new ResourceKey(type, id), own), row.Sequence));
            bytes += own.Length;
        }
        return batch;
    }
}
