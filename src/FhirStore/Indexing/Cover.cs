using System.Collections.Immutable;
using FhirCore.Records;

namespace FhirStore.Indexing;

/// <summary>Records that may match, told by index entries alone: every match is among them.</summary>
/// <param name="Exact">They all match: no body needs to be looked at.</param>
internal readonly record struct Cover(Predicate Where, bool Exact)
{
    /// <summary>The index says nothing.</summary>
    public static Cover Unknown => new(Predicate.Everything, false);

    public static Cover Nothing => new(Predicate.Nothing, true);

    public static Cover Everything => new(Predicate.Everything, true);

    public bool IsEverything => ReferenceEquals(Where, Predicate.Everything);

    public Cover Inexact => this with { Exact = false };

    public static Cover AnyOf(IReadOnlyList<Cover> parts)
    {
        if (parts.Count == 1)
        {
            return parts[0];
        }
        var any = ImmutableArray.CreateBuilder<Predicate>(parts.Count);
        var exact = true;
        foreach (var part in parts)
        {
            if (part.IsEverything)
            {
                return part;
            }
            exact &= part.Exact;
            any.Add(part.Where);
        }
        return new(new Predicate.AnyOf(any.DrainToImmutable()), exact);
    }
}
