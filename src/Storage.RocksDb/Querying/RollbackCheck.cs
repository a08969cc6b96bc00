using FhirCore;
using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Querying;

/// <summary>
/// History holds replaced versions only. A record whose own version lies there was put back behind the server's back, however whole
/// it looks. The filter of history answers nearly every such question without reading a block.
/// </summary>
internal static class RollbackCheck
{
    /// <exception cref="StoreCorruptException">The record is older than its history.</exception>
    public static void Check(ReadView view, ushort type, IReadOnlyList<StoredRecord> records)
    {
        Span<byte> buffer = stackalloc byte[RowKeys.MaxLength];
        foreach (var record in records)
        {
            if (view.Get(Family.History, buffer[..RowKeys.Version(buffer, type, record.Key.Id, record.Version)]) is not null)
            {
                throw RolledBack(record.Key);
            }
        }
    }

    /// <summary>Outside a frozen state, so that true may only mean that the record was replaced between two reads.</summary>
    public static bool MayBeRolledBack(Engine engine, ushort type, ResourceKey key, long version)
    {
        Span<byte> buffer = stackalloc byte[RowKeys.MaxLength];
        var scratch = ScratchBuffer.Take();
        try
        {
            return engine.Get(Family.History, engine.Latest, buffer[..RowKeys.Version(buffer, type, key.Id, version)], ref scratch) >= 0;
        }
        finally
        {
            ScratchBuffer.Give(scratch);
        }
    }

    public static StoreCorruptException RolledBack(ResourceKey key) =>
        new($"A stored {key.Type} is older than its history.") { Summary = $"{key.Type}: rolled back" };
}
