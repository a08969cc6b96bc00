using System.Collections.Immutable;
using FhirCore;
using FhirCore.Records;
using MongoDB.Bson;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Writing;

/// <summary>A commit, checked against the port's rules and taken apart into what is to be asked of the server.</summary>
internal sealed class CommitPlan
{
    /// <exception cref="ArgumentException">The commit breaks a rule of the port.</exception>
    /// <exception cref="RecordTooLargeException">A record does not fit a document.</exception>
    public CommitPlan(Commit commit, bool isSharded)
    {
        Commit = commit;
        ThrowIfAKeyRepeats();
        foreach (var write in commit.Writes)
        {
            ThrowIfMalformed(write);
            DocumentWriter.ThrowIfTooLarge(write.Record);
        }
        var written = commit.Writes.ToDictionary(w => w.Record.Key);
        Conditions = [.. commit.Conditions.OfType<RecordCondition.NoneMatch>()];
        var versions = commit.Conditions.OfType<RecordCondition.VersionIs>().Distinct().ToList();
        Broken = versions.FirstOrDefault(v => written.TryGetValue(v.Key, out var write) && write.Expected != v.Version);
        Versions = [.. versions.Where(v => !written.ContainsKey(v.Key))];
        Claims = ClaimsOf(isSharded);
        JournalRows = commit.Writes.Count(w => w.Journal);
        Keys = [.. commit.Writes.Select(w => w.Record.Key).Concat(Versions.Select(v => v.Key))];
    }

    public Commit Commit { get; }

    /// <summary>Goes into everything the commit writes.</summary>
    public ObjectId Id { get; } = ObjectId.GenerateNewId();

    public ImmutableArray<RecordCondition.NoneMatch> Conditions { get; }

    /// <summary>Conditions on records that the commit does not write itself.</summary>
    public ImmutableArray<RecordCondition.VersionIs> Versions { get; }

    /// <summary>A condition that contradicts a write of the same commit.</summary>
    public RecordCondition.VersionIs? Broken { get; }

    /// <summary>Ids of documents in <c>claims</c>, in the order they are taken.</summary>
    public ImmutableSortedSet<string> Claims { get; }

    public int JournalRows { get; }

    /// <summary>Keys whose versions decide: of writes first, then of conditions.</summary>
    public ImmutableArray<ResourceKey> Keys { get; }

    public IEnumerable<string> Stamps => Commit.Stamps.Distinct(StringComparer.Ordinal).Select(StampId).Order(StringComparer.Ordinal);

    /// <summary>Everything that another commit of this process might want at the same time.</summary>
    public IEnumerable<string> LockNames => Claims.Concat(Stamps).Concat(Keys.Concat(Commit.Removals).Select(k => k.ToString()));

    /// <summary>One document and nothing else: the server writes it whole or not at all without a transaction.</summary>
    public RecordWrite? Alone =>
        Commit is { Writes: [{ Journal: false } only], Conditions.IsEmpty: true, Removals.IsEmpty: true, Stamps.IsEmpty: true } && Claims.IsEmpty ? only : null;

    public static string StampId(string name) => "s:" + name;

    /// <returns>The first conflict, as the versions stand now; null where there is none.</returns>
    public CommitResult.VersionConflict? ConflictIn(Dictionary<string, long> versions)
    {
        foreach (var write in Commit.Writes)
        {
            if (Found(write.Record.Key) is var found && found != write.Expected)
            {
                return new(write.Record.Key, write.Expected, found);
            }
        }
        if (Broken is { } broken)
        {
            return new(broken.Key, broken.Version, Found(broken.Key));
        }
        foreach (var condition in Versions)
        {
            if (Found(condition.Key) is var found && found != condition.Version)
            {
                return new(condition.Key, condition.Version, found);
            }
        }
        return null;

        long Found(ResourceKey key) => versions.GetValueOrDefault(key.ToString());
    }

    private static string KeyClaim(ResourceKey key) => "k:" + key;

    /// <summary>
    /// Besides the claims of its conditions: a commit that relies on a record not being there claims its key, and so does one that makes records
    /// and relies on anything not being there. Two such commits could otherwise each make what the other relies on. In a sharded
    /// deployment every creation claims its key, for there the id alone is not unique.
    /// </summary>
    private ImmutableSortedSet<string> ClaimsOf(bool isSharded)
    {
        var claims = ConditionClaims.Of(Commit);
        var absent = Versions.Where(v => v.Version == 0).ToList();
        claims = claims.Union(absent.Select(v => KeyClaim(v.Key)));
        return absent.Count > 0 || Conditions.Length > 0 || isSharded
            ? claims.Union(Commit.Writes.Where(w => w.Expected == 0).Select(w => KeyClaim(w.Record.Key)))
            : claims;
    }

    private static void ThrowIfMalformed(RecordWrite write)
    {
        var record = write.Record;
        if (write.Expected < 0 || record.Version != write.Expected + 1)
        {
            throw new ArgumentException($"A write of {record.Key} over version {write.Expected} must make version {write.Expected + 1}, not {record.Version}.");
        }
        if (record.Deleted && !(record.Body.IsEmpty && record.Index.Block.IsEmpty))
        {
            throw new ArgumentException($"The tombstone of {record.Key} has a body or index entries.");
        }
    }

    private void ThrowIfAKeyRepeats()
    {
        var keys = new HashSet<ResourceKey>();
        foreach (var key in Commit.Writes.Select(w => w.Record.Key).Concat(Commit.Removals))
        {
            if (!keys.Add(key))
            {
                throw new ArgumentException($"{key} stands in more than one write or removal of a commit.");
            }
        }
    }
}
