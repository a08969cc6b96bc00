using System.Collections.Frozen;
using FhirCore.Records;
using MongoDB.Bson;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Querying;

/// <summary>A predicate as a filter on <c>records</c>. Whatever the predicate, the filter begins with what an index begins with.</summary>
internal sealed class PredicateFilter(FrozenSet<IndexField> ordered)
{
    /// <returns>Null where nothing can match.</returns>
    public BsonDocument? Of(string type, Predicate where)
    {
        if (Translate(type, where) is not { } filter)
        {
            return null;
        }
        return IsBound(where) ? filter : And(OfType(type), filter);
    }

    public bool Orders(IndexField field) => ordered.Contains(field);

    /// <summary>True where every match has the field, so that an order by it needs no second look for records without.</summary>
    public static bool Implies(Predicate where, IndexField field) => where switch
    {
        Predicate.EqualTo equal => equal.Field == field,
        Predicate.Between between => between.Field == field,
        Predicate.Present present => present.Field == field,
        Predicate.AllOf all => all.Parts.Any(p => Implies(p, field)),
        Predicate.AnyOf any => any.Parts.All(p => Implies(p, field)),
        _ => false,
    };

    public static BsonDocument OfType(string type) => new(Names.Type, type);

    public static BsonDocument And(BsonDocument a, BsonDocument b)
    {
        if (a.ElementCount == 0 || b.ElementCount == 0)
        {
            return a.ElementCount == 0 ? b : a;
        }
        var rest = new BsonDocument(b);
        if (a.TryGetValue(Names.Type, out var type) && rest.TryGetValue(Names.Type, out var same) && type == same)
        {
            rest.Remove(Names.Type);
        }
        return a.Names.Any(rest.Contains) ? new("$and", new BsonArray { a, rest }) : new BsonDocument(a).AddRange(rest);
    }

    /// <summary>Every match is an undeleted record of the type already, for its own condition says so.</summary>
    private static bool IsBound(Predicate where) => where switch
    {
        Predicate.AllOf all => all.Parts.Any(IsBound),
        Predicate.AnyOf any => any.Parts.All(IsBound),
        Predicate.Not => false,
        _ => true,
    };

    private BsonDocument? Translate(string type, Predicate where)
    {
        switch (where)
        {
            case Predicate.EqualTo(var field, var value):
                return value.Length is 0 or > byte.MaxValue ? null
                    : PathOf(field) is { } path ? OnPath(type, path, OrderedText.Of(value.Span))
                    : new(Names.Entries, EntryText.Of(type, field, value.Span));
            case Predicate.Between(var field, var from, var to):
                return Range(type, field, from.Span, to.Span);
            case Predicate.Present(var field):
                return Range(type, field, [], []);
            case Predicate.IdIn(var ids):
                return ids.IsEmpty ? null : OnPath(type, Names.LocalId, new BsonDocument("$in", new BsonArray(ids)));
            case Predicate.AllOf(var parts):
                return All(type, parts);
            case Predicate.AnyOf(var parts):
                return Any(type, parts);
            case Predicate.Not(var part):
                return Translate(type, part) is { } none ? new("$nor", new BsonArray { none }) : [];
            default:
                throw new ArgumentException($"{where.GetType().Name} is no kind of predicate this engine knows.", nameof(where));
        }
    }

    private BsonDocument? Range(string type, IndexField field, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        if (!to.IsEmpty && from.SequenceCompareTo(to) >= 0)
        {
            return null;
        }
        if (PathOf(field) is { } path)
        {
            var bounds = new BsonDocument("$gte", OrderedText.Of(from));
            if (!to.IsEmpty)
            {
                bounds.Add("$lt", OrderedText.Of(to));
            }
            return OnPath(type, path, bounds);
        }
        // One entry must lie within both ends; without $elemMatch two entries could meet one each.
        return new(Names.Entries, new BsonDocument("$elemMatch", new BsonDocument
        {
            { "$gte", EntryText.Of(type, field, from) },
            { "$lt", to.IsEmpty ? EntryText.EndOf(type, field) : EntryText.Of(type, field, to) },
        }));
    }

    private BsonDocument? All(string type, IEnumerable<Predicate> parts)
    {
        var filter = new BsonDocument();
        foreach (var part in parts)
        {
            if (Translate(type, part) is not { } one)
            {
                return null;
            }
            filter = And(filter, one);
        }
        return filter;
    }

    private BsonDocument? Any(string type, IEnumerable<Predicate> parts)
    {
        var alternatives = new BsonArray();
        foreach (var part in parts)
        {
            if (Translate(type, part) is { } one)
            {
                if (one.ElementCount == 0)
                {
                    return []; // one of them is always true
                }
                alternatives.Add(one);
            }
        }
        return alternatives.Count switch { 0 => null, 1 => alternatives[0].AsBsonDocument, _ => new("$or", alternatives) };
    }

    private string? PathOf(IndexField field) =>
        field == IndexField.LastUpdated ? Names.Updated : ordered.Contains(field) ? EntryText.Ordered(field) : null;

    private static BsonDocument OnPath(string type, string path, BsonValue condition) => new() { { Names.Type, type }, { path, condition } };
}
