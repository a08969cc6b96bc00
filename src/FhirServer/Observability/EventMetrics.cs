using System.Collections.Concurrent;
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

    public void Write(MetricsText text)
    {
        var events = text.Counter("fhir_events_total", "Events by what became of them.");
        foreach (var (group, counts) in _groups)
        {
            events.Add(Volatile.Read(ref counts.Handled), ("group", group), ("result", "handled"));
            events.Add(Volatile.Read(ref counts.Failed), ("group", group), ("result", "failed"));
            events.Add(Volatile.Read(ref counts.SetAside), ("group", group), ("result", "set-aside"));
        }
        var ages = text.Gauge("fhir_events_last_age_seconds", "Age of the oldest event of the last batch when it was handled.");
        foreach (var (group, counts) in _groups)
        {
            ages.Add(Volatile.Read(ref counts.LastLagMicroseconds) / 1e6, ("group", group));
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
