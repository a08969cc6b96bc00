using System.Globalization;
using System.Text;
using FhirCore.Caching;

namespace FhirServer.Observability;

/// <summary>What became of calls to the cache.</summary>
internal static class CacheMetrics
{
    public static void Write(StringBuilder text, CacheTally tally)
    {
        text.Append("# HELP fhir_cache_calls_total Calls to the cache by what became of them: values found and not found, calls that failed, calls not made because the cache did not answer.\n");
        text.Append("# TYPE fhir_cache_calls_total counter\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_cache_calls_total{{result=\"hit\"}} {tally.Hits}\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_cache_calls_total{{result=\"miss\"}} {tally.Misses}\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_cache_calls_total{{result=\"failed\"}} {tally.Failures}\n");
        text.Append(CultureInfo.InvariantCulture, $"fhir_cache_calls_total{{result=\"skipped\"}} {tally.Skipped}\n");
    }
}
