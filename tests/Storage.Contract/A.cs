using System.Collections.Immutable;
using System.Text;
using FhirCore;
using FhirCore.Records;

namespace Storage.Contract;

/// <summary>Records, writes and conditions for tests, which say only what the test is about.</summary>
public static class A
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static readonly IndexField Name = IndexField.Of("name");
    public static readonly IndexField Born = IndexField.Of("born");
    public static readonly IndexField Rank = IndexField.Of("rank");

    /// <summary>Fields that queries of the contract order by: no record of it has two values of one of them.</summary>
    public static readonly ImmutableArray<IndexField> OrderedFields = [Born, Rank];

    public static ResourceKey Key(string id, string type = "Patient") => new(type, id);

    public static byte[] Value(string text) => Encoding.UTF8.GetBytes(text);

    public static IndexEntries Entries(params (IndexField Field, string Value)[] entries)
    {
        var builder = new IndexEntries.Builder();
        foreach (var (field, value) in entries)
        {
            builder.Add(field, Value(value));
        }
        return builder.Build();
    }

    public static StoredRecord Record(ResourceKey key, long version = 1, string body = "body", IndexEntries index = default, DateTimeOffset? at = null, string? partition = null) => new()
    {
        Key = key,
        Version = version,
        LastUpdated = at ?? Noon.AddSeconds(version),
        Partition = partition ?? key.Id,
        Body = Value(body),
        Index = index,
    };

    public static StoredRecord Tombstone(ResourceKey key, long version, DateTimeOffset? at = null) => new()
    {
        Key = key,
        Version = version,
        LastUpdated = at ?? Noon.AddSeconds(version),
        Partition = key.Id,
        Deleted = true,
    };

    /// <summary>A journalled write over the version before the record's.</summary>
    public static RecordWrite Write(StoredRecord record, string? cause = null) =>
        new(record, record.Version - 1, Journal: true, cause ?? (record.Deleted ? "delete" : record.Version == 1 ? "create" : "update"));

    public static RecordWrite Internal(StoredRecord record) => new(record, record.Version - 1, Journal: false, "internal");

    public static Commit Commit(params RecordWrite[] writes) => new([.. writes], [], []);

    public static Commit When(this Commit commit, params RecordCondition[] conditions) => commit with { Conditions = [.. conditions] };

    public static Commit Removing(params ResourceKey[] keys) => new([], [], [.. keys]);

    public static RecordCondition.NoneMatch None(Predicate where, string type = "Patient", params string[] except) =>
        new(type, where, except.ToImmutableSortedSet(StringComparer.Ordinal));

    public static Predicate Is(IndexField field, string value) => new Predicate.EqualTo(field, Value(value));

    public static Predicate Between(IndexField field, string from, string to) => new Predicate.Between(field, Value(from), Value(to));

    public static Predicate All(params Predicate[] parts) => new Predicate.AllOf([.. parts]);

    public static Predicate Any(params Predicate[] parts) => new Predicate.AnyOf([.. parts]);

    public static Predicate Not(Predicate part) => new Predicate.Not(part);

    public static Predicate Ids(params string[] ids) => new Predicate.IdIn(ids.ToImmutableSortedSet(StringComparer.Ordinal));
}
