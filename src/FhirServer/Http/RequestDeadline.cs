using FhirCore;

namespace FhirServer.Http;

/// <summary>
/// Ends the work on one request when its time is over, by the same token that tells that the client has gone. The time in which the
/// client sends its body does not count: Kestrel has limits of its own for that.
/// </summary>
internal sealed class RequestDeadline : IDisposable
{
    private readonly HttpContext _context;
    private readonly TimeSpan _time;
    private readonly CancellationToken _gone;
    private readonly CancellationTokenSource _over;

    private RequestDeadline(HttpContext context, TimeSpan time)
    {
        _context = context;
        _time = time;
        _gone = context.RequestAborted;
        _over = CancellationTokenSource.CreateLinkedTokenSource(_gone);
        _over.CancelAfter(time);
    }

    /// <summary>That the deadline has ended the request, not the client.</summary>
    public bool IsOver => _over.IsCancellationRequested && !_gone.IsCancellationRequested;

    public static RequestDeadline Set(HttpContext context, TimeSpan time)
    {
        var deadline = new RequestDeadline(context, time);
        context.RequestAborted = deadline._over.Token;
        context.Features.Set(deadline);
        return deadline;
    }

    public void Pause() => _over.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Resume() => _over.CancelAfter(_time);

    /// <summary>What is still to be sent is sent: from here on only the client ends the request.</summary>
    public void Lift()
    {
        _context.RequestAborted = _gone;
        _over.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    public FhirFailure Failure => new(FailureKind.Unavailable,
    [
        Issue.Error("timeout", HttpMethods.IsGet(_context.Request.Method) || HttpMethods.IsHead(_context.Request.Method)
            ? "The answer took too long. Send the request again later."
            : "The answer took too long. Whether the change was made is not known: look before you send it again, or send it with the same Idempotency-Key where the operation takes one."),
    ])
    {
        RetryAfter = TimeSpan.FromSeconds(2),
    };

    public void Dispose()
    {
        _context.RequestAborted = _gone;
        _over.Dispose();
    }
}
