namespace FhirServer.Observability;

internal enum ProcessPhase
{
    Starting,
    Serving,
    /// <summary>Told to stop: requests that come are still answered, and their connections closed.</summary>
    Stopping,
}

/// <summary>Whether requests should be sent here: everything is open, and the server is not going down.</summary>
internal sealed class Readiness
{
    private int _phase;

    public ProcessPhase Phase => (ProcessPhase)Volatile.Read(ref _phase);

    public bool IsStopping => Phase == ProcessPhase.Stopping;

    /// <summary>Unless it is stopping already.</summary>
    public void Started() => Interlocked.CompareExchange(ref _phase, (int)ProcessPhase.Serving, (int)ProcessPhase.Starting);

    public void Stopping() => Volatile.Write(ref _phase, (int)ProcessPhase.Stopping);
}
