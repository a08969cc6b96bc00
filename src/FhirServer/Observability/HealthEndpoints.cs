using System.Buffers;
using System.Globalization;
using System.Text;
using FhirCore.Caching;
using System.Text.Json;
using Auditing.Trail;
using FhirServer.Auditing;
using FhirServer.Http;
using FhirStore.Leases;

namespace FhirServer.Observability;

/// <summary><c>/health/live</c>, <c>/health/ready</c> and <c>/metrics</c>: open to whoever can reach the port, and without a word about patients.</summary>
internal sealed class HealthEndpoints(
    Readiness readiness, EngineHealth engines, RequestMetrics requests, RequestGate gate, CountedRecordStore store, ICache cache, LeasedJobs jobs,
    AuditObserver audit, AuditTrail trail, IEnumerable<IMetricsSource> others, TimeProvider clock)
{
    private static readonly TimeSpan LongestQuestion = TimeSpan.FromSeconds(2);

    public static bool IsHere(string path) => path is "/health/live" or "/health/ready" or "/metrics";

    public async ValueTask<bool> TryHandleAsync(HttpContext context, string path)
    {
        switch (path)
        {
            case "/health/live":
                await WriteAsync(context, 200, "application/json", "{\"status\":\"live\"}");
                return true;
            case "/health/ready":
                var (status, body) = await ReadyAsync();
                await WriteAsync(context, status, "application/json", body);
                return true;
            case "/metrics":
                await AskOthersAsync();
                await WriteAsync(context, 200, MetricsText.ContentType, Metrics(await engines.AskAsync()));
                return true;
            default:
                return false;
        }
    }

    private async Task<(int Status, string Body)> ReadyAsync()
    {
        if (readiness.Phase != ProcessPhase.Serving)
        {
            return (503, readiness.IsStopping ? "{\"status\":\"stopping\"}" : "{\"status\":\"starting\"}");
        }
        var states = await engines.AskAsync();
        var ready = states.All(state => state.IsWell || !state.IsRequired);
        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("status", ready ? "ready" : "unavailable");
            EngineHealth.WriteEngines(json, states);
            json.WriteEndObject();
        }
        return (ready ? 200 : 503, Encoding.UTF8.GetString(body.WrittenSpan));
    }

    private async Task AskOthersAsync()
    {
        using var limit = new CancellationTokenSource(LongestQuestion, clock);
        var asking = Task.WhenAll(others.Select(other => other.AskAsync(limit.Token)));
        await asking.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // what is not known in time is left out
    }

    private string Metrics(EngineState[] states)
    {
        var text = new MetricsText();
        requests.Write(text);
        gate.Write(text);
        store.Write(text);
        audit.Write(text, trail.Waiting);
        CacheMetrics.Write(text, cache.Tally);
        EngineHealth.WriteMetrics(text, states);
        var running = text.Gauge("fhir_job_running", "Whether a background job is done by this process.");
        foreach (var (job, isHere) in jobs.States)
        {
            running.Add(isHere ? 1 : 0, ("job", job));
        }
        foreach (var other in others)
        {
            other.Write(text);
        }
        text.Gauge("process_working_set_bytes", "Memory of the process.", Environment.WorkingSet);
        text.Gauge("dotnet_gc_heap_bytes", "Managed heap.", GC.GetTotalMemory(false));
        var collections = text.Counter("dotnet_gc_collections_total", "Collections by generation.");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            collections.Add(GC.CollectionCount(generation), ("generation", generation.ToString(CultureInfo.InvariantCulture)));
        }
        return text.ToString();
    }

    private static Task WriteAsync(HttpContext context, int status, string contentType, string text)
    {
        if (context.Request.Method is not ("GET" or "HEAD"))
        {
            return ResponseWriter.WriteAsync(context, FhirReply.MethodNotAllowed(context.Request.Method, "GET, HEAD"));
        }
        var body = Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        return context.Request.Method == "HEAD" ? Task.CompletedTask : context.Response.Body.WriteAsync(body, 0, body.Length, context.RequestAborted);
    }
}
