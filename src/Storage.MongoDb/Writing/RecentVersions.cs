using FhirCore;
using FhirCore.Records;

namespace Storage.MongoDb.Writing;

/// <summary>
/// Versions that this process has written last. Of a thousand that want one slot, the nine hundred and ninety-nine that waited behind
/// the first learn from it that they are too late, without asking the server one after another.
/// </summary>
/// <remarks>Journalled records only: their versions never go back. A fixed number of places, each for the key that came last.</remarks>
internal sealed class RecentVersions
{
    private const int Count = 4096;

    private sealed record Seen(ResourceKey Key, long Version);

    private readonly Seen?[] _seen = new Seen?[Count];

    public void Note(Commit commit)
    {
        foreach (var key in commit.Removals)
        {
            Place(key) = null;
        }
        foreach (var write in commit.Writes)
        {
            if (write.Journal)
            {
                Volatile.Write(ref Place(write.Record.Key), new(write.Record.Key, write.Record.Version));
            }
        }
    }

    /// <returns>A conflict that is certain; null where nothing is known.</returns>
    public CommitResult.VersionConflict? ConflictIn(CommitPlan plan)
    {
        foreach (var write in plan.Commit.Writes)
        {
            if (Newer(write.Record.Key, write.Expected) is { } found)
            {
                return new(write.Record.Key, write.Expected, found);
            }
        }
        foreach (var condition in plan.Versions)
        {
            if (Newer(condition.Key, condition.Version) is { } found)
            {
                return new(condition.Key, condition.Version, found);
            }
        }
        return null;
    }

    private long? Newer(ResourceKey key, long expected) =>
        Volatile.Read(ref Place(key)) is { } seen && seen.Key == key && seen.Version > expected ? seen.Version : null;

    private ref Seen? Place(ResourceKey key) => ref _seen[(uint)key.GetHashCode() % Count];
}
