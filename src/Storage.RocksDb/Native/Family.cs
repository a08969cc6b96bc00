namespace Storage.RocksDb.Native;

/// <summary>The column families, in the order in which they are opened. Their numbers are not kept on disk; their names are.</summary>
internal enum Family
{
    /// <summary>Numbers of record types.</summary>
    Types = 0,
    /// <summary>Current versions and tombstones.</summary>
    Records = 1,
    /// <summary>One row for each index entry of each current record.</summary>
    Index = 2,
    /// <summary>Replaced versions, apart so that they never slow a search.</summary>
    History = 3,
    /// <summary>The change log, and for each type the sequences of its changes.</summary>
    Log = 4,
}
