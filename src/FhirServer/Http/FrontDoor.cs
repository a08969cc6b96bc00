using System.Diagnostics;
using FhirCore;
using FhirCore.Auditing;
using FhirCore.Records;
using FhirServer.Discovery;
using FhirServer.Interactions;
using FhirServer.Observability;
using FhirServer.Settings;
using FhirServer.Subscriptions;

namespace FhirServer.Http;

/// <summary>
/// The first and outermost step of every request: finds the part that answers, and turns whatever goes wrong into one
/// OperationOutcome. No exception passes it.
/// </summary>
internal sealed class FrontDoor(
    FhirHttp fhir, HealthEndpoints health, SocketEndpoint sockets, RequestGate gate, Readiness readiness, RequestMetrics metrics, ServerSettings settings, ILogger<FrontDoor> logger)
{
    /// <summary>What every answer gets, also one that was written anew after a fault.</summary>
    private static readonly Func<object, Task> Finish = static state =>
    {
        var (context, door) = ((HttpContext, FrontDoor))state;
        door._headers.Write(context.Response.Headers);
        if (door._readiness.IsStopping && HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            context.Response.Headers.Connection = "close";
        }
        return Task.CompletedTask;
    };

    private readonly Readiness _readiness = readiness;
    private readonly SecurityHeaders _headers = new(settings);
    private readonly FhirBase[] _bases = FhirBase.All(settings);
    private long _toldStoreAway;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(Finish, (context, this));
        if (settings.Process.TrustedProxies.Count > 0)
        {
            var connection = context.Connection;
            connection.RemoteIpAddress = ClientAddress.Find(connection.RemoteIpAddress, context.Request.Headers["X-Forwarded-For"], settings.Process.TrustedProxies);
        }
        if (HealthEndpoints.IsHere(context.Request.Path.Value ?? ""))
        {
            await AttendAsync(context, next, deadline: null); // also where everything else is full
        }
        else if (sockets.IsHere(context.Request.Path.Value ?? ""))
        {
            await AttendSocketAsync(context); // has a limit of its own, and no deadline
        }
        else if (gate.TryEnter())
        {
            try
            {
                using var deadline = RequestDeadline.Set(context, settings.Process.RequestTimeout);
                await AttendAsync(context, next, deadline);
            }
            finally
            {
                gate.Leave();
            }
        }
        else
        {
            await ResponseWriter.RefuseAsync(context, RequestGate.Full);
            metrics.Record(FhirInteraction.Other, context.Response.StatusCode, TimeSpan.FromTicks(1));
        }
    }

    private async Task AttendAsync(HttpContext context, RequestDelegate next, RequestDeadline? deadline)
    {
        var started = Stopwatch.GetTimestamp();
        var interaction = FhirInteraction.Other;
        try
        {
            interaction = await RouteAsync(context, next);
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            deadline?.Lift();
            context.Response.Clear();
            await AnswerAsync(context, error, deadline);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // The head of the response is out: all that is left is to end the connection, so that the client sees it broken.
            FrontDoorLog.Fault(logger, context.TraceIdentifier, Fault.Describe(error));
            context.Abort();
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
        finally
        {
            metrics.Record(interaction, context.Response.StatusCode, Stopwatch.GetElapsedTime(started));
        }
        if (context.Response.StatusCode == StatusCodes.Status413PayloadTooLarge || context.Request.ContentLength > settings.MaxBodyBytes)
        {
            await LingeringClose.RunAsync(context);
        }
    }

    private async Task AttendSocketAsync(HttpContext context)
    {
        try
        {
            await sockets.HandleAsync(context);
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, error, null);
        }
        catch (Exception error)
        {
            FrontDoorLog.Fault(logger, context.TraceIdentifier, Fault.Describe(error));
            context.Abort();
        }
    }

    private ValueTask<FhirInteraction> RouteAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path.Value ?? "";
        if (!settings.Process.Roles.Api)
        {
            return ElsewhereAsync(context, path, NoApiAsync);
        }
        foreach (var candidate in _bases)
        {
            if (candidate.TryMatch(path, out var rest))
            {
                return fhir.HandleAsync(context, candidate, rest);
            }
        }
        return ElsewhereAsync(context, path, next);
    }

    private async ValueTask<FhirInteraction> ElsewhereAsync(HttpContext context, string path, RequestDelegate next)
    {
        if (!await health.TryHandleAsync(context, path))
        {
            await next(context);
            await FillAsync(context);
        }
        return FhirInteraction.Other;
    }

    private static Task NoApiAsync(HttpContext context) => ResponseWriter.RefuseAsync(context, FhirFailure.Of(
        FailureKind.NotFound, "This process has no api role (Server:Roles): it answers /health/live, /health/ready and /metrics only."));

    /// <summary>The framework's own refusals come without a body; they get the one every refusal has.</summary>
    private static Task FillAsync(HttpContext context)
    {
        var response = context.Response;
        return response.HasStarted || response.StatusCode < 400 || response.ContentLength > 0 || response.ContentType is not null
            ? Task.CompletedTask
            : ResponseWriter.RefuseAsync(context, OfStatus(response.StatusCode, "There is nothing at this address."));
    }

    private Task AnswerAsync(HttpContext context, Exception error, RequestDeadline? deadline)
    {
        switch (error)
        {
            case OperationCanceledException or IOException or Microsoft.AspNetCore.Connections.ConnectionAbortedException when context.RequestAborted.IsCancellationRequested:
                context.Response.StatusCode = 499; // nobody is left to read it; the metrics are
                return Task.CompletedTask;
            case OperationCanceledException when deadline is { IsOver: true }:
                FrontDoorLog.TooSlow(logger, context.TraceIdentifier, settings.Process.RequestTimeout);
                return ResponseWriter.RefuseAsync(context, deadline.Failure);
            case RecordTooLargeException large:
                return ResponseWriter.RefuseAsync(context, FhirFailure.Of(
                    FailureKind.TooLarge, $"What is to be stored takes more than the {large.Most} bytes that this server's database holds in one record."));
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return ResponseWriter.RefuseAsync(context, BodyReader.TooLarge(settings.MaxBodyBytes));
            case BadHttpRequestException bad:
                return ResponseWriter.RefuseAsync(context, OfStatus(bad.StatusCode, "The request is not well-formed HTTP."));
            case StoreUnavailableException:
                LogStoreAway(error);
                return ResponseWriter.RefuseAsync(context, FhirFailure.Of(FailureKind.Unavailable, "The store cannot be used right now; nothing was changed. Send the request again later.")
                    with { RetryAfter = TimeSpan.FromSeconds(2) });
            case NotOnRecordException:
                LogStoreAway(error);
                return ResponseWriter.RefuseAsync(context, FhirFailure.Of(
                    FailureKind.Unavailable, "The audit trail cannot be written right now, and nothing is given out that is not on record. What was asked for may have been done; look before you ask again."));
            case StoreCorruptException damage:
                FrontDoorLog.Damage(logger, context.TraceIdentifier, damage.Summary, Fault.Describe(error));
                return ResponseWriter.FaultAsync(context, $"Stored data failed its integrity check. Trace id: {context.TraceIdentifier}");
            default:
                FrontDoorLog.Fault(logger, context.TraceIdentifier, Fault.Describe(error));
                return ResponseWriter.FaultAsync(context, $"The server failed. Trace id: {context.TraceIdentifier}");
        }
    }

    /// <summary>Once a second: an engine that is away fails every request, and one line of it tells as much as a thousand.</summary>
    private void LogStoreAway(Exception error)
    {
        var last = Volatile.Read(ref _toldStoreAway);
        if ((last == 0 || Stopwatch.GetElapsedTime(last) > TimeSpan.FromSeconds(1))
            && Interlocked.CompareExchange(ref _toldStoreAway, Stopwatch.GetTimestamp(), last) == last)
        {
            FrontDoorLog.StoreAway(logger, Fault.Describe(error));
        }
    }

    private static FhirFailure OfStatus(int status, string why) => FhirFailure.Of(status switch
    {
        401 => FailureKind.Unauthenticated,
        403 => FailureKind.Forbidden,
        404 => FailureKind.NotFound,
        405 => FailureKind.MethodNotAllowed,
        413 => FailureKind.TooLarge,
        415 => FailureKind.UnsupportedMediaType,
        _ => FailureKind.Invalid,
    }, why);
}

internal static partial class FrontDoorLog
{
    [LoggerMessage(1, LogLevel.Error, "Request {TraceId} failed: {Fault}")]
    public static partial void Fault(ILogger logger, string traceId, string fault);

    [LoggerMessage(2, LogLevel.Critical, "Stored data failed its integrity check in request {TraceId} ({Damage}): {Fault}")]
    public static partial void Damage(ILogger logger, string traceId, string damage, string fault);

    [LoggerMessage(4, LogLevel.Warning, "Request {TraceId} was given up after {Timeout}.")]
    public static partial void TooSlow(ILogger logger, string traceId, TimeSpan timeout);

    [LoggerMessage(3, LogLevel.Error, "The store is not available: {Fault}")]
    public static partial void StoreAway(ILogger logger, string fault);
}
