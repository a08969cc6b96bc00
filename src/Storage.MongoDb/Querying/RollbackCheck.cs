using FhirCore;
using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;
using Storage.MongoDb.Connecting;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Querying;

/// <summary>
/// The journal knows every version. A record that is older than its last row there was put back behind the server's back, however
/// whole it looks; it is not served. The journal's index by key answers by itself.
/// </summary>
internal sealed class RollbackCheck(Deployment deployment)
{
    private readonly IMongoCollection<BsonDocument> _journal = deployment.Database.GetCollection<BsonDocument>(Names.Journal);

    /// <summary>The server's own records are not journalled, so there is nothing to compare them with.</summary>
    public static bool Covers(string type) => !type.StartsWith('_');

    /// <param name="reading">The record, being read.</param>
    /// <param name="readAgain">What looks older may only have been replaced between two reads.</param>
    /// <exception cref="StoreCorruptException">The record is older than its journal.</exception>
    public async Task<StoredRecord?> CheckAsync(ResourceKey key, Task<List<Row>> reading, Func<Task<List<Row>>> readAgain, CancellationToken ct)
    {
        var newest = NewestAsync(key, ct);
        await Task.WhenAll(reading, newest).ConfigureAwait(false);
        var record = (await reading.ConfigureAwait(false)).FirstOrDefault()?.ToRecord();
        var version = await newest.ConfigureAwait(false);
        if (record is null || record.Version >= version)
        {
            return record;
        }
        record = (await readAgain().ConfigureAwait(false)).FirstOrDefault()?.ToRecord();
        return record is null || record.Version >= version ? record : throw RolledBack(key.Type);
    }

    /// <param name="readVersions">The versions of records as they stand now.</param>
    /// <exception cref="StoreCorruptException">One of them is older than its journal.</exception>
    public async Task CheckAsync(
        string type, IReadOnlyList<StoredRecord> records, Func<IEnumerable<ResourceKey>, CancellationToken, Task<Dictionary<string, long>>> readVersions, CancellationToken ct)
    {
        if (records.Count == 0)
        {
            return;
        }
        var newest = await NewestAsync(records, ct).ConfigureAwait(false);
        var suspects = records.Where(r => newest.TryGetValue(r.Key.ToString(), out var version) && r.Version < version).Select(r => r.Key).ToList();
        if (suspects.Count == 0)
        {
            return;
        }
        var now = await readVersions(suspects, ct).ConfigureAwait(false);
        if (suspects.Exists(key => now.TryGetValue(key.ToString(), out var version) && version < newest[key.ToString()]))
        {
            throw RolledBack(type);
        }
    }

    private async Task<long> NewestAsync(ResourceKey key, CancellationToken ct)
    {
        var row = await _journal.Find(new BsonDocument { { Names.Key, key.ToString() }, { Names.Id, Conditions.AnyNumber }, { Names.Hidden, Conditions.Absent } })
            .Sort(new BsonDocument(Names.Id, -1)).Limit(1).Project(new BsonDocument { { Names.Id, 0 }, { Names.Version, 1 } })
            .FirstOrDefaultAsync(ct).ConfigureAwait(false);
        return row is null ? 0 : VersionOf(row);
    }

    private async Task<Dictionary<string, long>> NewestAsync(IReadOnlyList<StoredRecord> records, CancellationToken ct)
    {
        var pipeline = new BsonDocument[]
        {
            new("$match", new BsonDocument
            {
                { Names.Key, new BsonDocument("$in", new BsonArray(records.Select(r => r.Key.ToString()))) }, { Names.Id, Conditions.AnyNumber }, { Names.Hidden, Conditions.Absent },
            }),
            new("$group", new BsonDocument { { Names.Id, "$" + Names.Key }, { Names.Version, new BsonDocument("$max", "$" + Names.Version) } }),
        };
        var rows = await (await _journal.AggregateAsync<BsonDocument>(pipeline, cancellationToken: ct).ConfigureAwait(false)).ToListAsync(ct).ConfigureAwait(false);
        return rows.ToDictionary(row => row[Names.Id].AsString, VersionOf);
    }

    private static long VersionOf(BsonDocument row) => row.GetValue(Names.Version, BsonNull.Value) is { IsNumeric: true } version ? version.ToInt64() : throw Row.Damaged("version");

    private static StoreCorruptException RolledBack(string type) => new($"A stored {type} is older than its journal.") { Summary = $"{type}: rolled back" };
}
