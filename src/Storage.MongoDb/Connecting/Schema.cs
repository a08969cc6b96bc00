using System.Collections.Immutable;
using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Connecting;

/// <param name="Keys">Elements in the index's order.</param>
/// <param name="Only">Elements a document must have to be in the index; null for all documents.</param>
internal sealed record IndexPlan(string Collection, string Name, ImmutableArray<string> Keys, string? Only = null, TimeSpan? ExpireAfter = null);

/// <summary>Which indexes there are, and the version of how documents look. Every start brings them about; several may at once.</summary>
internal static class Schema
{
    /// <summary>Raised when documents change in a way an older process would misread.</summary>
    public const int Version = 1;

    private const string SchemaId = "schema";

    public static ImmutableArray<IndexPlan> Indexes(ImmutableArray<IndexField> ordered) =>
    [
        new(Names.Records, "byId", [Names.Type, Names.LocalId]),
        new(Names.Records, "byEntry", [Names.Entries, Names.LocalId]),
        new(Names.Records, "byUpdate", [Names.Type, Names.Updated, Names.LocalId]),
        .. ordered.Select(field => new IndexPlan(
            Names.Records, "by" + EntryText.OrderedName(field), [Names.Type, EntryText.Ordered(field), Names.LocalId], EntryText.Ordered(field))),
        new(Names.Journal, "byKey", [Names.Key, Names.Id, Names.Version]),
        new(Names.Journal, "byType", [Names.Type, Names.Id]),
        new(Names.Journal, "byTime", [Names.Updated, Names.Type, Names.Id]),
        new(Names.Claims, "byUse", [Names.At], ExpireAfter: TimeSpan.FromDays(1)),
    ];

    /// <exception cref="StoreUnavailableException">A newer version has written here.</exception>
    public static async Task PrepareAsync(IMongoDatabase database, ImmutableArray<IndexField> ordered, CancellationToken ct)
    {
        var meta = database.GetCollection<BsonDocument>(Names.Meta);
        var found = await meta.Find(new BsonDocument(Names.Id, SchemaId)).FirstOrDefaultAsync(ct).ConfigureAwait(false);
        if (found is not null && found.GetValue("version", 0).ToInt32() is var version and > Version)
        {
            throw new StoreUnavailableException($"The database has schema {version}; this version of the server knows {Version} at most. A newer server has written to it.");
        }
        foreach (var collection in Indexes(ordered).GroupBy(i => i.Collection))
        {
            await database.RunCommandAsync<BsonDocument>(CreateCommand(collection.Key, collection), cancellationToken: ct).ConfigureAwait(false);
        }
        foreach (var name in new[] { Names.Counters })
        {
            await EnsureCollectionAsync(database, name, ct).ConfigureAwait(false);
        }
        await meta.UpdateOneAsync(
            new BsonDocument(Names.Id, SchemaId),
            new BsonDocument("$max", new BsonDocument("version", Version)),
            new UpdateOptions { IsUpsert = true }, ct).ConfigureAwait(false);
    }

    /// <summary>Does nothing where the indexes are there; MongoDB builds them without stopping reads and writes.</summary>
    private static BsonDocument CreateCommand(string collection, IEnumerable<IndexPlan> plans) => new()
    {
        { "createIndexes", collection },
        { "indexes", new BsonArray(plans.Select(SpecificationOf)) },
        { "writeConcern", Deployment.Durable.ToBsonDocument() },
    };

    private static BsonDocument SpecificationOf(IndexPlan plan)
    {
        var index = new BsonDocument { { "name", plan.Name }, { "key", new BsonDocument(plan.Keys.Select(k => new BsonElement(k, 1))) } };
        if (plan.Only is { } only)
        {
            index.Add("partialFilterExpression", new BsonDocument(only, new BsonDocument("$exists", true)));
        }
        if (plan.ExpireAfter is { } after)
        {
            index.Add("expireAfterSeconds", (int)after.TotalSeconds);
        }
        return index;
    }

    // Made here, for a transaction that makes a collection would collide with others that do.
    private static async Task EnsureCollectionAsync(IMongoDatabase database, string name, CancellationToken ct)
    {
        try
        {
            await database.CreateCollectionAsync(name, cancellationToken: ct).ConfigureAwait(false);
        }
        catch (MongoCommandException e) when (e.Code == 48) // NamespaceExists
        {
        }
    }
}
