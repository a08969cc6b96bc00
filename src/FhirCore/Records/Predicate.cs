using System.Collections.Immutable;

namespace FhirCore.Records;

/// <summary>
/// A condition on the id and the index entries of a record. <see cref="Matches"/> is its meaning; an engine may find the
/// matching records by any index it likes.
/// </summary>
public abstract record Predicate
{
    private Predicate()
    {
    }

    public static Predicate Everything { get; } = new AllOf([]);

    public static Predicate Nothing { get; } = new AnyOf([]);

    public abstract bool Matches(string id, IndexEntries entries);

    /// <summary>The record has an entry of the field with exactly this value.</summary>
    public sealed record EqualTo(IndexField Field, ReadOnlyMemory<byte> Value) : Predicate
    {
        public override bool Matches(string id, IndexEntries entries) => entries.Has(Field, Value.Span);
    }

    /// <summary>The record has an entry with From ≤ value &lt; To, compared as bytes. An empty To means no upper end.</summary>
    public sealed record Between(IndexField Field, ReadOnlyMemory<byte> From, ReadOnlyMemory<byte> To) : Predicate
    {
        public override bool Matches(string id, IndexEntries entries) => entries.HasBetween(Field, From.Span, To.Span);
    }

    /// <summary>The record has any entry of the field.</summary>
    public sealed record Present(IndexField Field) : Predicate
    {
        public override bool Matches(string id, IndexEntries entries) => entries.Has(Field);
    }

    public sealed record IdIn(ImmutableSortedSet<string> Ids) : Predicate
    {
        public override bool Matches(string id, IndexEntries entries) => Ids.Contains(id);
    }

    public sealed record AllOf(ImmutableArray<Predicate> Parts) : Predicate
    {
        public override bool Matches(string id, IndexEntries entries)
        {
            foreach (var part in Parts)
            {
                if (!part.Matches(id, entries))
                {
                    return false;
                }
            }
            return true;
        }
    }

    public sealed record AnyOf(ImmutableArray<Predicate> Parts) : Predicate
    {
        public override bool Matches(string id, IndexEntries entries)
        {
            foreach (var part in Parts)
            {
                if (part.Matches(id, entries))
                {
                    return true;
                }
            }
            return false;
        }
    }

    public sealed record Not(Predicate Part) : Predicate
    {
        public override bool Matches(string id, IndexEntries entries) => !Part.Matches(id, entries);
    }
}
