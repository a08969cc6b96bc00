using FhirCore.Pacing;
using FhirServer.Observability;

namespace FhirServer.Hosting;

/// <summary>How work in the background steps back behind the requests of this process (docs/decisions/0147).</summary>
internal sealed class Paces
{
    public Paces(RequestMetrics requests, TimeProvider clock)
    {
        var load = new RequestLoad(() => requests.Spent, clock);
        Events = Of(TimeSpan.FromMilliseconds(16));
        Messages = Of(TimeSpan.FromMilliseconds(160));

        BackgroundPace Of(TimeSpan interval) => new(() => load.AtOnce, Environment.ProcessorCount, interval, clock);
    }

    /// <summary>Following changes and telling subscribers: an event costs some tenths of a millisecond, and so does a notification.</summary>
    public BackgroundPace Events { get; }

    /// <summary>Messages to patients and staff: each costs several commits and a Communication, some two milliseconds.</summary>
    public BackgroundPace Messages { get; }
}
