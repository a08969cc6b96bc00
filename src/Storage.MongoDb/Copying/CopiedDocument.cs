using FhirCore.Records;
using MongoDB.Bson;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Copying;

/// <summary>Whole documents of <c>records</c> and <c>journal</c>, to and from the rows of a copy.</summary>
internal static class CopiedDocument
{
    /// <exception cref="StoreCorruptException">The document lacks what every change row has.</exception>
    public static StoreRow.Journal ToJournal(BsonDocument document)
    {
        var row = Read(document, Names.Key);
        row.Sequence = document[Names.Id].ToInt64();
        row.Cause = Text(document, Names.Cause);
        return new(row.ToChange(), document.Contains(Names.Hidden) ? null : row.ToRecord());
    }

    /// <exception cref="StoreCorruptException">The document lacks what every record has.</exception>
    public static StoredRecord ToRecord(BsonDocument document)
    {
        var row = Read(document, Names.Id);
        row.Block = Bytes(document, Names.Block);
        return row.ToRecord();
    }

    public static BsonDocument OfJournal(StoreRow.Journal row)
    {
        var (change, version) = row;
        var document = DocumentWriter.JournalRow(
            change.Sequence,
            version ?? new() { Key = change.Key, Version = change.Version, LastUpdated = change.At, Deleted = change.Deleted, Partition = change.Partition },
            change.Cause,
            ObjectId.Empty);
        if (version is null)
        {
            document.Remove(Names.Body);
            document.Add(Names.Hidden, BsonBoolean.True);
        }
        return document;
    }

    private static Row Read(BsonDocument document, string key) => new()
    {
        Key = Text(document, key),
        Version = document.GetValue(Names.Version, BsonNull.Value) is { IsInt64: true } or { IsInt32: true } ? document[Names.Version].ToInt64() : throw Row.Damaged("number"),
        Updated = Text(document, Names.Updated),
        Partition = Text(document, Names.Partition),
        Deleted = document.Contains(Names.Deleted),
        Body = Bytes(document, Names.Body),
    };

    private static string? Text(BsonDocument document, string name) => document.GetValue(name, BsonNull.Value) switch
    {
        BsonString text => text.Value,
        BsonNull => null,
        _ => throw Row.Damaged("text"),
    };

    private static byte[]? Bytes(BsonDocument document, string name) => document.GetValue(name, BsonNull.Value) switch
    {
        BsonBinaryData bytes => bytes.Bytes,
        BsonNull => null,
        _ => throw Row.Damaged("bytes"),
    };
}
