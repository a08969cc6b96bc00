using FhirCore;
using FhirCore.Records;

namespace FhirStore.Checking;

/// <summary>Versions of a resource follow one another without a hole, and none is newer than the current one.</summary>
internal static class VersionChain
{
    /// <param name="versions">Newest first, of one record or of many.</param>
    /// <exception cref="StoreCorruptException">A version is missing or is there twice.</exception>
    public static void Check(IReadOnlyList<StoredRecord> versions)
    {
        var next = new Dictionary<ResourceKey, long>();
        foreach (var version in versions)
        {
            if (next.TryGetValue(version.Key, out var expected) && version.Version != expected)
            {
                throw new StoreCorruptException($"The history of a {version.Key.Type} has version {version.Version} where {expected} belongs.")
                {
                    Summary = $"{version.Key.Type}: hole in the history",
                };
            }
            next[version.Key] = version.Version - 1;
        }
    }

    /// <exception cref="StoreCorruptException">The current version is older than what history holds.</exception>
    public static void Check(StoredRecord newest, StoredRecord? current)
    {
        if (current is not null && current.Version < newest.Version)
        {
            throw new StoreCorruptException($"A stored {newest.Key.Type} is at version {current.Version}; its history holds version {newest.Version}.") { Summary = $"{newest.Key.Type}: rolled back" };
        }
    }
}
