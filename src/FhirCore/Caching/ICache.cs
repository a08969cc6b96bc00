namespace FhirCore.Caching;

/// <summary>
/// What may be forgotten at any moment without an answer becoming wrong: copies of what the records store holds, and counts that
/// only slow an attacker down. Every implementation passes <c>CacheContract</c>.
/// </summary>
/// <remarks>
/// No call fails because the cache is away, and none takes longer than a short bound (100 ms unless an adapter is told otherwise):
/// a read is a miss then, and a write is lost. Calls throw only for keys that are not allowed, and when cancelled.
/// A key stands for a value or for a counter, never for both in turn.
/// </remarks>
public interface ICache
{
    /// <summary>True where other processes see the same entries; false where they live and end with this process.</summary>
    bool IsShared { get; }

    /// <summary>What became of the calls so far.</summary>
    CacheTally Tally { get; }

    /// <returns>The value; null where there is none, its lifetime is over, or the cache is away.</returns>
    /// <exception cref="ArgumentException">The key is not allowed, see <see cref="CacheKey"/>.</exception>
    ValueTask<byte[]?> GetAsync(string key, CancellationToken ct);

    /// <returns>One entry for each key, in order, as <see cref="GetAsync"/> would give it.</returns>
    ValueTask<byte[]?[]> GetManyAsync(IReadOnlyList<string> keys, CancellationToken ct);

    /// <summary>Keeps the value, in place of the one before, for the lifetime at most.</summary>
    /// <param name="value">Read before the call returns its task: the caller may reuse the bytes. At most <see cref="CacheKey.LongestValue"/> bytes; a longer one is not kept.</param>
    /// <param name="lifetime">From 1 ms on.</param>
    ValueTask SetAsync(string key, ReadOnlyMemory<byte> value, TimeSpan lifetime, CancellationToken ct);

    ValueTask RemoveAsync(string key, CancellationToken ct);

    /// <summary>Adds one to a counter in one atomic step. The first addition begins a window; when the window is over the counter is gone.</summary>
    /// <param name="window">From 1 ms on. Only the addition that begins the window looks at it.</param>
    /// <returns>Null where the cache is away: nobody knows the count.</returns>
    ValueTask<CacheCount?> AddAsync(string key, TimeSpan window, CancellationToken ct);

    /// <returns>The count as it stands, zero where nothing is counted; null where the cache is away.</returns>
    ValueTask<CacheCount?> CountAsync(string key, CancellationToken ct);
}

/// <param name="Count">Additions in this window.</param>
/// <param name="Left">Until the window ends; zero where the count is zero.</param>
public readonly record struct CacheCount(long Count, TimeSpan Left);
