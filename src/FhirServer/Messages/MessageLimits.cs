using System.Threading.RateLimiting;

namespace FhirServer.Messages;

/// <summary>How often one address may open links, and send what Twilio has not signed. Each process counts for itself.</summary>
internal sealed class MessageLimits : IDisposable
{
    private const int PagesPerMinute = 60;
    private const int ForgeriesPerMinute = 20;

    private readonly PartitionedRateLimiter<string> _pages = Make(PagesPerMinute);
    private readonly PartitionedRateLimiter<string> _forgeries = Make(ForgeriesPerMinute);

    public bool MayOpen(HttpContext context) => Take(_pages, context, 1);

    /// <summary>Whether an address that has sent many forgeries may try once more; asked before a signature is computed.</summary>
    public bool MayKnock(HttpContext context) => Take(_forgeries, context, 0);

    public void Forged(HttpContext context) => Take(_forgeries, context, 1);

    public void Dispose()
    {
        _pages.Dispose();
        _forgeries.Dispose();
    }

    private static bool Take(PartitionedRateLimiter<string> limiter, HttpContext context, int permits)
    {
        using var lease = limiter.AttemptAcquire(context.Connection.RemoteIpAddress?.ToString() ?? "", permits);
        return lease.IsAcquired;
    }

    private static PartitionedRateLimiter<string> Make(int perMinute)
    {
        var bucket = new TokenBucketRateLimiterOptions { TokenLimit = perMinute, ReplenishmentPeriod = TimeSpan.FromMinutes(1) / perMinute, TokensPerPeriod = 1, QueueLimit = 0 };
        return PartitionedRateLimiter.Create<string, string>(who => RateLimitPartition.GetTokenBucketLimiter(who, _ => bucket), StringComparer.Ordinal);
    }
}
