using FhirCore;

namespace FhirStore.Checking;

public enum DamageKind
{
    /// <summary>The body does not open: a bit flipped, a body of another row or version, or its key is gone.</summary>
    Unreadable,
    /// <summary>The index entries are not those of the resource: it is found where it should not be, or not found.</summary>
    WrongIndex,
    /// <summary>The current row is older than the last change of its record: an old row was put back.</summary>
    RolledBack,
    /// <summary>A version or a change that must be there is not.</summary>
    Missing,
    /// <summary>Two places that must say the same do not.</summary>
    Disagreement,
    /// <summary>The engine cannot read its own files.</summary>
    Engine,
}

/// <param name="Key">Null where the damage is nobody's in particular.</param>
/// <param name="Version">0 where it is no version's.</param>
/// <param name="What">One line that quotes no content.</param>
public sealed record Damage(DamageKind Kind, ResourceKey? Key, long Version, string What);

/// <summary>What a check of the whole store looked at.</summary>
/// <param name="LogEnd">Sequence of the last change. A store that is put back whole to an earlier state agrees with itself: only this number, kept elsewhere, tells.</param>
/// <param name="Unsealed">Records of the server's own that hold plain marks; nothing in them can be checked.</param>
public sealed record CheckReport(long Changes, long Records, long Unsealed, long LogEnd, IReadOnlyDictionary<DamageKind, long> Damages)
{
    public bool IsGood => Damages.Count == 0;
}
