using System.Runtime.CompilerServices;
using System.Text;
using FhirCore;
using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Copying;

/// <summary>Compares the index rows with the records they lead to, and the types' logs with the log.</summary>
internal sealed class LookupCheck(ReadView view, TypeNumbers types)
{
    private const int Batch = 2_000;

    public async IAsyncEnumerable<StoreDisagreement> RunAsync([EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var check in (Func<byte[], List<StoreDisagreement>, byte[]?>[])[RecordsToIndex, IndexToRecords, LogToTypes])
        {
            byte[]? from = [];
            while (from is not null)
            {
                ct.ThrowIfCancellationRequested();
                var found = new List<StoreDisagreement>();
                from = check(from, found);
                foreach (var one in found)
                {
                    yield return one;
                }
                await Task.Yield();
            }
        }
    }

    private byte[]? RecordsToIndex(byte[] from, List<StoreDisagreement> found)
    {
        Span<byte> key = stackalloc byte[RowKeys.MaxLength];
        using var rows = view.Rows(Family.Records, from, []);
        var left = Batch;
        for (rows.First(); rows.Valid; rows.Next())
        {
            if (left-- == 0)
            {
                return rows.Key.ToArray();
            }
            var type = NumberIn(rows.Key);
            var id = rows.Key[RowKeys.TypeLength..];
            var rest = new RecordRow(rows.Value).Index;
            while (IndexBlock.TakeFirst(ref rest, out var entry))
            {
                var length = RowKeys.Index(key, type, IndexBlock.FieldOf(entry), IndexBlock.ValueOf(entry));
                id.CopyTo(key[length..]);
                if (view.Get(Family.Index, key[..(length + id.Length)]) is null)
                {
                    found.Add(new(Key(type, id), "an index row is missing: a search would not find it"));
                    break;
                }
            }
        }
        return null;
    }

    private byte[]? IndexToRecords(byte[] from, List<StoreDisagreement> found)
    {
        Span<byte> key = stackalloc byte[RowKeys.MaxLength];
        using var rows = view.Rows(Family.Index, from, []);
        var left = Batch;
        for (rows.First(); rows.Valid; rows.Next())
        {
            if (left-- == 0)
            {
                return rows.Key.ToArray();
            }
            var row = rows.Key;
            if (row.Length < RowKeys.FieldPrefix || rows.Value.Length != 1 || row.Length - RowKeys.FieldPrefix <= rows.Value[0])
            {
                found.Add(new(null, "an index row cannot be read"));
                continue;
            }
            var type = NumberIn(row);
            var id = row[(RowKeys.FieldPrefix + rows.Value[0])..];
            var current = view.Get(Family.Records, key[..RowKeys.Record(key, type, id)]);
            if (current is null || !Has(new RecordRow(current).Index, row[RowKeys.TypeLength..RowKeys.FieldPrefix], row[RowKeys.FieldPrefix..^id.Length]))
            {
                found.Add(new(Key(type, id), "an index row leads to it that is not its own"));
            }
        }
        return null;
    }

    private byte[]? LogToTypes(byte[] from, List<StoreDisagreement> found)
    {
        Span<byte> key = stackalloc byte[RowKeys.MaxLength];
        using var rows = view.Rows(Family.Log, from, []);
        var left = Batch;
        for (rows.First(); rows.Valid; rows.Next())
        {
            if (left-- == 0)
            {
                return rows.Key.ToArray();
            }
            var sequence = RowKeys.SequenceOf(rows.Key);
            if (rows.Key[0] != 0)
            {
                if (view.Get(Family.Log, key[..RowKeys.Change(key, sequence)]) is null)
                {
                    found.Add(new(null, $"the log of a type names change {sequence}, which is missing"));
                }
                continue;
            }
            var change = new ChangeLogRow(rows.Value);
            if (view.Get(Family.Log, key[..RowKeys.ChangeOfType(key, change.Type, sequence)]) is null)
            {
                found.Add(new(new(types.NameOf(change.Type), change.Id), $"the log of its type lacks change {sequence}"));
            }
        }
        return null;
    }

    private static bool Has(ReadOnlySpan<byte> block, ReadOnlySpan<byte> field, ReadOnlySpan<byte> value)
    {
        while (IndexBlock.TakeFirst(ref block, out var entry))
        {
            if (entry[..4].SequenceEqual(field) && IndexBlock.ValueOf(entry).SequenceEqual(value))
            {
                return true;
            }
        }
        return false;
    }

    private static ushort NumberIn(ReadOnlySpan<byte> key) => System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(key);

    private ResourceKey? Key(ushort type, ReadOnlySpan<byte> id) => Encoding.ASCII.GetString(id) is var text && FhirIds.IsValid(text) ? new(types.NameOf(type), text) : null;
}
