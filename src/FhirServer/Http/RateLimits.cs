using System.Threading.RateLimiting;
using FhirCore;
using FhirServer.Interactions;
using FhirServer.Settings;

namespace FhirServer.Http;

/// <summary>
/// What one caller may ask in a time. Each limit is a bucket for each person or client in this process's memory; a client that acts for
/// itself has none unless one is set.
/// </summary>
internal sealed class RateLimits(LimitOptions options) : IDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly PartitionedRateLimiter<string>? _users = Make(options.RequestsPerMinutePerUser, Minute);
    private readonly PartitionedRateLimiter<string>? _clients = Make(options.RequestsPerMinutePerClient, Minute);
    private readonly PartitionedRateLimiter<string>? _slots = Make(options.SlotSearchesPerMinutePerUser, Minute);
    private readonly PartitionedRateLimiter<string>? _holds = Make(options.HoldsPerHourPerUser, TimeSpan.FromHours(1));

    /// <returns>Null where the request may be carried out.</returns>
    public FhirFailure? Check(FhirRequest request, FhirInteraction interaction)
    {
        if (request.Grant.User is not { } user)
        {
            return _clients is null ? null : Take(_clients, request.Grant.ClientId, "This client sends more requests than it may.");
        }
        return Take(_users, user.AccountId, "More requests come in your name than may.")
            ?? (LooksAtSlots(request, interaction) ? Take(_slots, user.AccountId, "Free times were looked for more often than one person may.") : null)
            ?? (request.Route.Tail is "$hold" ? Take(_holds, user.AccountId, "More times were held than one person may hold.") : null);
    }

    public void Dispose()
    {
        _users?.Dispose();
        _clients?.Dispose();
        _slots?.Dispose();
        _holds?.Dispose();
    }

    private static bool LooksAtSlots(FhirRequest request, FhirInteraction interaction) =>
        request.Route.Tail is "$find" || (interaction == FhirInteraction.SearchType && request.Route.Type is "Slot");

    private static FhirFailure? Take(PartitionedRateLimiter<string>? limiter, string who, string why)
    {
        if (limiter is null)
        {
            return null;
        }
        using var lease = limiter.AttemptAcquire(who);
        return lease.IsAcquired ? null : FhirFailure.Of(FailureKind.TooManyRequests, $"{why} Nothing was done. Send the request again later.") with
        {
            RetryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) && wait > TimeSpan.Zero ? wait : TimeSpan.FromSeconds(1),
        };
    }

    private static PartitionedRateLimiter<string>? Make(int permits, TimeSpan window)
    {
        if (permits == 0)
        {
            return null;
        }
        var each = window / permits;
        var perSecond = each < TimeSpan.FromSeconds(1);
        var bucket = new TokenBucketRateLimiterOptions
        {
            TokenLimit = permits,
            ReplenishmentPeriod = perSecond ? TimeSpan.FromSeconds(1) : each,
            TokensPerPeriod = perSecond ? Math.Max(1, (int)(permits / window.TotalSeconds)) : 1,
            QueueLimit = 0,
        };
        return PartitionedRateLimiter.Create<string, string>(who => RateLimitPartition.GetTokenBucketLimiter(who, _ => bucket), StringComparer.Ordinal);
    }
}
