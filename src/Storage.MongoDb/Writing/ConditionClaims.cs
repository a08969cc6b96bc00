using System.Collections.Immutable;
using FhirCore.Records;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Writing;

/// <summary>
/// What a commit with a <see cref="RecordCondition.NoneMatch"/> takes hold of, so that it collides with every commit whose record the
/// condition would have to see, and whose condition is of the same shape.
/// </summary>
/// <remarks>
/// A condition takes one name for each value it asks for: the type, the field and the value's first 8 bytes (where it is shorter, none of
/// them). A commit takes, besides, the names of its own records in those fields. So if a record that one commit writes meets the condition of
/// the other, it has a value the condition asks for, and both take that value's name.
/// </remarks>
internal static class ConditionClaims
{
    /// <summary>Bytes of a value that make a name: a token, such as that of a code without its system, or most of an actor's without the time behind it.</summary>
    public const int TokenLength = 8;

    private enum Reach
    {
        /// <summary>Names the values: few commits meet there.</summary>
        Value,

        /// <summary>Names the field: all commits meet that ask about it.</summary>
        Field,

        /// <summary>Names the type.</summary>
        Type,
    }

    private readonly record struct Literal(IndexField Field, ReadOnlyMemory<byte> Token);

    /// <summary>Names for all conditions of the commit, without repeats.</summary>
    public static ImmutableSortedSet<string> Of(Commit commit)
    {
        if (!commit.Conditions.Any(c => c is RecordCondition.NoneMatch))
        {
            return [];
        }
        var names = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var condition in commit.Conditions.OfType<RecordCondition.NoneMatch>())
        {
            var (_, literals) = Literals(condition.Where);
            if (literals.Count == 0)
            {
                names.Add(Name(condition.Type));
                continue;
            }
            foreach (var literal in literals)
            {
                names.Add(Name(condition.Type, literal));
            }
            foreach (var asked in literals.Select(l => (l.Field, IsSharp: !l.Token.IsEmpty)).Distinct())
            {
                AddOwn(names, commit, condition.Type, asked.Field, asked.IsSharp);
            }
        }
        return names.ToImmutable();
    }

    private static void AddOwn(ImmutableSortedSet<string>.Builder names, Commit commit, string type, IndexField field, bool isSharp)
    {
        foreach (var write in commit.Writes)
        {
            if (write.Record.Key.Type != type)
            {
                continue;
            }
            foreach (var entry in write.Record.Index)
            {
                if (entry.Field == field)
                {
                    names.Add(Name(type, new(field, isSharp && entry.Value.Length >= TokenLength ? entry.Value[..TokenLength] : default)));
                }
            }
        }
    }

    private static (Reach Reach, List<Literal> Literals) Literals(Predicate where) => where switch
    {
        Predicate.EqualTo(var field, var value) => value.Length >= TokenLength ? One(field, value[..TokenLength]) : One(field, default),
        Predicate.Between(var field, var from, var to) => from.Length >= TokenLength && to.Length >= TokenLength && from.Span[..TokenLength].SequenceEqual(to.Span[..TokenLength])
            ? One(field, from[..TokenLength])
            : One(field, default),
        Predicate.AllOf(var parts) => parts.Select(Literals).Where(p => p.Reach != Reach.Type).OrderBy(p => p.Reach).FirstOrDefault((Reach.Type, [])), // a match meets every part: the narrowest will do
        Predicate.AnyOf(var parts) => Every(parts.Select(Literals).ToList()), // a match meets one part, whichever
        _ => (Reach.Type, []),
    };

    private static (Reach, List<Literal>) One(IndexField field, ReadOnlyMemory<byte> token) => (token.IsEmpty ? Reach.Field : Reach.Value, [new(field, token)]);

    private static (Reach, List<Literal>) Every(List<(Reach Reach, List<Literal> Literals)> parts) =>
        parts.Count == 0 || parts.Any(p => p.Reach == Reach.Type)
            ? (Reach.Type, [])
            : (parts.Max(p => p.Reach), [.. parts.SelectMany(p => p.Literals)]);

    private static string Name(string type) => "c:" + type;

    private static string Name(string type, Literal literal) => EntryText.Of("c:" + type, literal.Field, literal.Token.Span);
}
