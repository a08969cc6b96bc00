using FhirCore.Caching;

namespace FhirServer.Observability;

/// <summary>What became of calls to the cache.</summary>
internal static class CacheMetrics
{
    public static void Write(MetricsText text, CacheTally tally)
    {
        text.Counter("fhir_cache_calls_total", "Calls to the cache by what became of them: values found and not found, calls that failed, calls not made because the cache did not answer.")
            .Add(tally.Hits, ("result", "hit"))
            .Add(tally.Misses, ("result", "miss"))
            .Add(tally.Failures, ("result", "failed"))
            .Add(tally.Skipped, ("result", "skipped"));
    }
}
