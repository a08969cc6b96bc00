using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Storage.RocksDb.Writing;

/// <summary>
/// The stamps of commits. They live as long as the process that has the folder open; each start begins at a number of its own,
/// so that nobody takes a stamp of an earlier process for one of this.
/// </summary>
internal sealed class Stamps
{
    private readonly ConcurrentDictionary<string, long> _moved = new(StringComparer.Ordinal);
    private readonly long _start = Random.Shared.NextInt64(long.MaxValue >> 1);
    private long _moves;

    public long Read(string name) => _moved.GetValueOrDefault(name, _start);

    /// <summary>Called when the commit can be seen and before it is acknowledged: a reader of the new value sees the commit.</summary>
    public void Move(ImmutableArray<string> names)
    {
        foreach (var name in names)
        {
            _moved[name] = _start + Interlocked.Increment(ref _moves);
        }
    }
}
