namespace Storage.MongoDb.Documents;

/// <summary>Names of the collections, and of the elements of their documents: one letter each, for they stand in every document.</summary>
internal static class Names
{
    public const string Records = "records";
    public const string Journal = "journal";
    public const string Claims = "claims";
    public const string Counters = "counters";
    public const string Meta = "meta";

    /// <summary>Record: <c>Type/id</c>. Journal: the sequence, or <c>Type/id@version</c> of an internal version that a journalled one replaced.</summary>
    public const string Id = "_id";

    /// <summary>Type; records that are tombstones have none, so that no query finds them.</summary>
    public const string Type = "t";

    /// <summary>Id within the type; left out with <see cref="Type"/>.</summary>
    public const string LocalId = "i";

    public const string Partition = "p";
    public const string Version = "v";

    /// <summary>Last update, as <see cref="OrderedText"/> of its sortable bytes.</summary>
    public const string Updated = "u";

    public const string Deleted = "d";

    /// <summary>The index block as it was given, for who reads the record.</summary>
    public const string Block = "k";

    /// <summary>Index entries to find the record by, an array.</summary>
    public const string Entries = "x";

    /// <summary>Values of ordered fields, by the field's number in hex.</summary>
    public const string Ordered = "o";

    public const string Body = "b";

    /// <summary>How the record stands to the journal: a number of <see cref="Journalled"/>.</summary>
    public const string Kind = "j";

    /// <summary>Which commit wrote it.</summary>
    public const string Commit = "w";

    /// <summary>Counts what conditions looked at it; moved to collide with whoever writes the record.</summary>
    public const string Seen = "n";

    /// <summary>Journal: <c>Type/id</c>.</summary>
    public const string Key = "k";

    public const string Cause = "c";

    /// <summary>Journal: the version is gone from history; the change row stays.</summary>
    public const string Hidden = "h";

    /// <summary>Journal: nothing was written under this number and nothing ever will be.</summary>
    public const string Void = "z";

    /// <summary>Counters: the document of the journal's numbers.</summary>
    public const string JournalCounter = "journal";

    /// <summary>Claims and counters: the number.</summary>
    public const string Number = "n";

    /// <summary>Claims: last use, for the index that removes old ones.</summary>
    public const string At = "at";
}

/// <summary>How a record stands to the journal.</summary>
internal static class Journalled
{
    /// <summary>Internal, and the journal knows nothing of its key.</summary>
    public const int Never = 0;

    /// <summary>The current version has its row.</summary>
    public const int Current = 1;

    /// <summary>Internal, but earlier versions have rows.</summary>
    public const int Earlier = 2;
}
