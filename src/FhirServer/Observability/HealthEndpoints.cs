using System.Globalization;
using System.Text;
using FhirCore.Caching;
using FhirServer.Http;

namespace FhirServer.Observability;

/// <summary><c>/health/live</c>, <c>/health/ready</c> and <c>/metrics</c>: open to whoever can reach the port, and without a word about patients.</summary>
internal sealed class HealthEndpoints(Readiness readiness, RequestMetrics requests, CountedRecordStore store, ICache cache)
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, string path)
    {
        switch (path)
        {
            case "/health/live":
                await WriteAsync(context, 200, "application/json", "{\"status\":\"live\"}");
                return true;
            case "/health/ready":
                var ready = readiness.IsReady;
                await WriteAsync(context, ready ? 200 : 503, "application/json", ready ? "{\"status\":\"ready\"}" : "{\"status\":\"starting\"}");
                return true;
            case "/metrics":
                await WriteAsync(context, 200, "text/plain; version=0.0.4; charset=utf-8", Metrics());
                return true;
            default:
                return false;
        }
    }

    private string Metrics()
    {
        var text = new StringBuilder(8192);
        requests.Write(text);
        store.Write(text);
        CacheMetrics.Write(text, cache.Tally);
        text.Append("# HELP process_working_set_bytes Memory of the process.\n# TYPE process_working_set_bytes gauge\n");
        text.Append(CultureInfo.InvariantCulture, $"process_working_set_bytes {Environment.WorkingSet}\n");
        text.Append("# HELP dotnet_gc_heap_bytes Managed heap.\n# TYPE dotnet_gc_heap_bytes gauge\n");
        text.Append(CultureInfo.InvariantCulture, $"dotnet_gc_heap_bytes {GC.GetTotalMemory(false)}\n");
        text.Append("# HELP dotnet_gc_collections_total Collections by generation.\n# TYPE dotnet_gc_collections_total counter\n");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            text.Append(CultureInfo.InvariantCulture, $"dotnet_gc_collections_total{{generation=\"{generation}\"}} {GC.CollectionCount(generation)}\n");
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

/// <summary>Whether requests may be sent here: everything is open, and the server is not going down.</summary>
internal sealed class Readiness
{
    private volatile bool _ready;

    public bool IsReady => _ready;

    public void Set(bool ready) => _ready = ready;
}
