namespace FhirCore.Caching;

/// <summary>Counts for the metrics, from the start of the process on.</summary>
public sealed class CacheTally
{
    private long _hits;
    private long _misses;
    private long _failures;
    private long _skipped;

    /// <summary>Values found.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>Values looked for and not there.</summary>
    public long Misses => Volatile.Read(ref _misses);

    /// <summary>Calls that the engine refused or did not answer in time.</summary>
    public long Failures => Volatile.Read(ref _failures);

    /// <summary>Calls not made, because the engine did not answer shortly before.</summary>
    public long Skipped => Volatile.Read(ref _skipped);

    public void Found(bool isHit) => Interlocked.Increment(ref isHit ? ref _hits : ref _misses);

    public void Failed() => Interlocked.Increment(ref _failures);

    public void WasSkipped() => Interlocked.Increment(ref _skipped);
}
