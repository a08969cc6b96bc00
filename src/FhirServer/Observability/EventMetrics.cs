using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using FhirCore.Events;
using FhirCore.Records;

namespace FhirServer.Observability;

/// <summary>What became of events on their way to the features that follow them.</summary>
internal sealed class EventMetrics(ILogger<EventMetrics> logger) : IEventObserver, IMetricsSource
{
    private readonly ConcurrentDictionary<string, Counts> _groups = new(StringComparer.Ordinal);

    /// <summary>Groups that this process follows as a member.</summary>
    public IEnumerable<string> Groups => _groups.Keys;

    private sealed class Counts
    {
        public long Handled;
        public long Failed;
        public long SetAside;
        public long LastLagMicroseconds;
    }

    public void Follows(string group) => Of(group);

    public void Handled(string group, int events, TimeSpan oldest)
    {
        var counts = Of(group);
        Interlocked.Add(ref counts.Handled, events);
        Volatile.Write(ref counts.LastLagMicroseconds, (long)oldest.TotalMicroseconds);
    }

    public void Failed(string group, string lane, Exception why)
    {
        Interlocked.Increment(ref Of(group).Failed);
        if (why is not StoreUnavailableException)
        {
            EventLines.Failed(logger, group, lane, Fault.Describe(why));
        }
    }

    public void SetAside(DeadEvent dead)
    {
        Interlocked.Increment(ref Of(dead.Group).SetAside);
        EventLines.SetAside(logger, dead.Group, dead.Event.Change.Sequence, dead.Event.Change.Key.Type, dead.Why);
    }

    public void Write(StringBuilder text)
    {
        text.Append("# HELP fhir_events_total Events by what became of them.\n# TYPE fhir_events_total counter\n");
        foreach (var (group, counts) in _groups)
        {
            text.Append(CultureInfo.InvariantCulture, $"fhir_events_total{{group=\"{group}\",result=\"handled\"}} {Volatile.Read(ref counts.Handled)}\n");
            text.Append(CultureInfo.InvariantCulture, $"fhir_events_total{{group=\"{group}\",result=\"failed\"}} {Volatile.Read(ref counts.Failed)}\n");
            text.Append(CultureInfo.InvariantCulture, $"fhir_events_total{{group=\"{group}\",result=\"set-aside\"}} {Volatile.Read(ref counts.SetAside)}\n");
        }
        text.Append("# HELP fhir_events_last_age_seconds Age of the oldest event of the last batch when it was handled.\n# TYPE fhir_events_last_age_seconds gauge\n");
        foreach (var (group, counts) in _groups)
        {
            text.Append(CultureInfo.InvariantCulture, $"fhir_events_last_age_seconds{{group=\"{group}\"}} {Volatile.Read(ref counts.LastLagMicroseconds) / 1e6}\n");
        }
    }

    private Counts Of(string group) => _groups.GetOrAdd(group, static _ => new());
}

internal static partial class EventLines
{
    [LoggerMessage(60, LogLevel.Warning, "Events could not be handled by {Group} (lane {Lane}) and are given again: {Fault}")]
    public static partial void Failed(ILogger logger, string group, string lane, string fault);

    [LoggerMessage(61, LogLevel.Error, "Change {Sequence}, a {Type}, could not be handled by {Group} and is set aside ({Why}).")]
    public static partial void SetAside(ILogger logger, string group, long sequence, string type, string why);
}
