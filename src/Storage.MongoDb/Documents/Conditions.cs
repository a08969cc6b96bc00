using MongoDB.Bson;

namespace Storage.MongoDb.Documents;

/// <summary>Conditions on one element that many filters hold. Nobody changes them.</summary>
internal static class Conditions
{
    public static BsonDocument Absent { get; } = new("$exists", false);

    /// <summary>A number of the change log; other rows of the journal have text in its place.</summary>
    public static BsonDocument AnyNumber { get; } = new("$lte", long.MaxValue);
}
