using FhirCore;
using FhirServer.Observability;
using FhirServer.Settings;

namespace FhirServer.Http;

/// <summary>
/// How many requests are at work. Above <see cref="ProcessSettings.MaxConcurrentRequests"/> a request is refused at once: each that is
/// let in holds memory and waits for the engine, and a queue in front of that would only let them wait longer for the same.
/// </summary>
internal sealed class RequestGate(ProcessSettings settings)
{
    private int _running;
    private long _refused;

    public static FhirFailure Full { get; } = FhirFailure.Of(
        FailureKind.Unavailable, "The server has more requests than it can work on; nothing was done. Send the request again later.", code: "throttled") with
    {
        RetryAfter = TimeSpan.FromSeconds(1),
    };

    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _running) <= settings.MaxConcurrentRequests)
        {
            return true;
        }
        Interlocked.Decrement(ref _running);
        Interlocked.Increment(ref _refused);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _running);

    public void Write(MetricsText text)
    {
        text.Gauge("fhir_requests_running", "Requests at work.", Volatile.Read(ref _running));
        text.Counter("fhir_requests_refused_total", "Requests refused because too many were at work.", Volatile.Read(ref _refused));
    }
}
