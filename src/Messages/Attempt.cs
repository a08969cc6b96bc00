using FhirCore.Messages;

namespace Messages;

/// <summary>One call of a provider, bounded in time.</summary>
internal static class Attempt
{
    /// <summary>Longer than providers take when they answer at all.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public const string TimedOut = "timeout";
    public const string NoConnection = "no-connection";
    public const string Lost = "connection-lost";

    /// <param name="call">Given a token that also ends when the time is over.</param>
    /// <param name="late">What it means that no answer came in time.</param>
    /// <exception cref="OperationCanceledException">The caller's token has ended.</exception>
    public static async Task<MessageResult> RunAsync(Func<CancellationToken, Task<MessageResult>> call, Func<MessageResult> late, TimeProvider clock, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, ct);
        try
        {
            return await call(either.Token).ConfigureAwait(false);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException && patience.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            return late();
        }
    }

    /// <summary>Whether a call over HTTP ended before the provider can have read a word of it.</summary>
    public static bool WasNeverSent(HttpRequestException error) =>
        error.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;

    /// <summary>A client for one provider's API. Redirects are not followed: what is sent is for that address alone.</summary>
    public static HttpClient Client(Uri baseUrl) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5), MaxConnectionsPerServer = 256 })
        {
            BaseAddress = baseUrl,
            Timeout = Timeout.InfiniteTimeSpan, // each call brings its own
            DefaultRequestHeaders = { UserAgent = { new("fhir-server", null) } },
        };

    public static TimeSpan? RetryAfter(HttpResponseMessage answer, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var after = answer.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - clock.GetUtcNow(),
            _ => TimeSpan.Zero,
        };
        return after > TimeSpan.Zero ? after : null;
    }
}
