using System.Diagnostics.CodeAnalysis;

namespace FhirCore;

/// <summary>
/// Type and logical id of one resource or of one internal record. Internal record types begin with <c>_</c>,
/// so they can never be reached through a FHIR URL.
/// </summary>
/// <remarks>Ordering is by type, then id, both ordinal.</remarks>
public readonly record struct ResourceKey : IComparable<ResourceKey>
{
    /// <exception cref="ArgumentException"><paramref name="id"/> is no FHIR id, or <paramref name="type"/> is empty.</exception>
    public ResourceKey(string type, string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(type);
        if (!FhirIds.IsValid(id))
        {
            throw new ArgumentException("Not a FHIR id: 1 to 64 of A-Z, a-z, 0-9, '-' and '.'.", nameof(id));
        }
        Type = type;
        Id = id;
    }

    public string Type { get; }

    public string Id { get; }

    /// <summary>Reads <c>Type/id</c>. The type is checked for form only: whether R4 has it is the caller's question.</summary>
    public static bool TryParse([NotNullWhen(true)] string? reference, out ResourceKey key)
    {
        key = default;
        if (reference is null)
        {
            return false;
        }
        var slash = reference.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || !char.IsAsciiLetterUpper(reference[0]) || !reference.AsSpan(0, slash).ContainsOnlyAsciiLetters())
        {
            return false;
        }
        var id = reference[(slash + 1)..];
        if (!FhirIds.IsValid(id))
        {
            return false;
        }
        key = new(reference[..slash], id);
        return true;
    }

    public int CompareTo(ResourceKey other)
    {
        var byType = string.CompareOrdinal(Type, other.Type);
        return byType != 0 ? byType : string.CompareOrdinal(Id, other.Id);
    }

    /// <returns><c>Type/id</c>, the relative reference.</returns>
    public override string ToString() => $"{Type}/{Id}";
}
