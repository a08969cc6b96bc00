using FhirCore.Pacing;
using FhirServer.Http;

namespace FhirServer.Hosting;

/// <summary>How work in the background steps back behind the requests of this process (docs/decisions/0147).</summary>
internal sealed class Paces(RequestGate gate, TimeProvider clock)
{
    /// <summary>Following changes and telling subscribers: a notification costs about half a millisecond.</summary>
    public BackgroundPace Events { get; } = Of(gate, TimeSpan.FromMilliseconds(4), TimeSpan.FromSeconds(1), clock);

    /// <summary>Messages to patients and staff: each costs several commits and a Communication, some three milliseconds.</summary>
    public BackgroundPace Messages { get; } = Of(gate, TimeSpan.FromMilliseconds(40), TimeSpan.FromSeconds(10), clock);

    private static BackgroundPace Of(RequestGate gate, TimeSpan interval, TimeSpan longest, TimeProvider clock) => new(() => gate.Running, Environment.ProcessorCount, interval, longest, clock);
}
