using System.Text.Json.Nodes;
using FhirCore.Records;
using FhirServer.Http;
using FhirServer.Observability;
using FhirServer.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace FhirServer.Tests;

/// <summary>Faults of ours: a trace id goes out, the log gets type and place, and nobody gets the message.</summary>
public sealed class FaultTests
{
    private const string Planted = "Planted-Patient-Name";

    [Fact]
    public async Task UnhandledException_TellsTheClientATraceIdAndNothingElse()
    {
        var (context, log) = await FailAsync(new InvalidOperationException(Planted, new FormatException(Planted)));
        Assert.Equal(500, context.Response.StatusCode);
        var issue = Assert.Single(Body(context)["issue"]!.AsArray())!;
        Assert.Equal("exception", (string?)issue["code"]);
        Assert.Contains(context.TraceIdentifier, (string?)issue["diagnostics"], StringComparison.Ordinal);
        Assert.DoesNotContain("InvalidOperation", Body(context).ToJsonString(), StringComparison.Ordinal);
        var line = Assert.Single(log);
        Assert.Contains(context.TraceIdentifier, line, StringComparison.Ordinal);
        Assert.Contains("System.FormatException", line, StringComparison.Ordinal);
        Assert.DoesNotContain(Planted, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StoreAway_IsATransient503()
    {
        var (context, log) = await FailAsync(new StoreUnavailableException(Planted));
        Assert.Equal(503, context.Response.StatusCode);
        Assert.Equal("2", context.Response.Headers.RetryAfter.ToString());
        Assert.Equal("transient", (string?)Body(context)["issue"]![0]!["code"]);
        Assert.DoesNotContain(Planted, Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DamagedData_IsAnIntegrityFault()
    {
        var (context, log) = await FailAsync(new StoreCorruptException(Planted));
        Assert.Equal(500, context.Response.StatusCode);
        Assert.Contains("integrity", (string?)Body(context)["issue"]![0]!["diagnostics"], StringComparison.Ordinal);
        Assert.StartsWith("Critical", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequestThatItsClientGaveUp_IsNoFault()
    {
        var (_, log) = await FailAsync(new OperationCanceledException(), aborted: true);
        Assert.Empty(log);
    }

    private static async Task<(DefaultHttpContext Context, List<string> Log)> FailAsync(Exception fault, bool aborted = false)
    {
        var log = new ListLogger();
        var settings = ServerSettings.Read(new ConfigurationBuilder().Build());
        var metrics = new RequestMetrics();
        var door = new FrontDoor(null!, new HealthEndpoints(new(), null!, metrics, null!, null!, null!, null!, null!, null!, [], TimeProvider.System), new(settings, null!, new(), null!), new(settings.Process), new(), metrics, settings, log);
        var context = new DefaultHttpContext { TraceIdentifier = "trace-1" };
        context.Request.Path = "/elsewhere";
        context.Response.Body = new MemoryStream();
        if (aborted)
        {
            context.RequestAborted = new CancellationToken(canceled: true);
        }
        await door.InvokeAsync(context, _ => throw fault);
        return (context, log.Lines);
    }

    private static JsonObject Body(DefaultHttpContext context) => JsonNode.Parse(((MemoryStream)context.Response.Body).ToArray())!.AsObject();

    private sealed class ListLogger : ILogger<FrontDoor>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add($"{logLevel} {formatter(state, exception)} {exception}");
    }
}
