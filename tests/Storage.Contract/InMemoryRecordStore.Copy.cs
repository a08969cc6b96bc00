using System.Runtime.CompilerServices;
using FhirCore;
using FhirCore.Records;

namespace Storage.Contract;

public sealed partial class InMemoryRecordStore : IStoreCopy
{
    public ValueTask<StoreExtent> MeasureAsync(CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_gate)
        {
            return new(new StoreExtent(_sequence, _changes.Count, _current.Count, IsGapless: true));
        }
    }

    public async IAsyncEnumerable<StoreRow> ReadAsync(StorePosition after, [EnumeratorCancellation] CancellationToken ct)
    {
        List<StoreRow> rows;
        lock (_gate)
        {
            rows =
            [
                .. _changes.Select(change => new StoreRow.Journal(change,
                    Find(change.Key, change.Version) is { } version && version.Sequence == change.Sequence ? version.Record with { Index = IndexEntries.None } : null)),
                .. _current.Values.Where(version => version.Record.Key != IStoreCopy.MarkKey)
                    .OrderBy(version => version.Record.Key).Select(version => new StoreRow.Current(version.Record, version.Sequence)),
            ];
        }
        foreach (var row in rows)
        {
            ct.ThrowIfCancellationRequested();
            if (row.Position.CompareTo(after) > 0)
            {
                yield return row;
            }
        }
        await Task.CompletedTask;
    }

    public Task WriteAsync(IReadOnlyList<StoreRow> rows, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ct.ThrowIfCancellationRequested();
        lock (_gate)
        {
            foreach (var row in rows)
            {
                Put(row);
            }
        }
        return Task.CompletedTask;
    }

    private void Put(StoreRow row)
    {
        switch (row)
        {
            case StoreRow.Journal(var change, var version):
                _changes.RemoveAll(known => known.Sequence == change.Sequence);
                _changes.Insert(_changes.FindLastIndex(known => known.Sequence < change.Sequence) + 1, change);
                _sequence = Math.Max(_sequence, change.Sequence);
                if (version is not null)
                {
                    _past[(change.Key, change.Version)] = new(version, change.Sequence);
                }
                break;
            case StoreRow.Current(var record, var sequence):
                _current[record.Key] = new(record, sequence);
                _past.Remove((record.Key, record.Version));
                break;
        }
    }
}
