using System.Threading.RateLimiting;
using Authorization.Access;
using FhirCore;
using FhirServer.Interactions;
using FhirServer.Settings;

namespace FhirServer.Http;

/// <summary>
/// What one caller may ask in a time, and what it may cost. Each limit is a bucket for each person or client in this process's memory; a
/// client that acts for itself has none unless one is set.
/// </summary>
internal sealed class RateLimits(LimitOptions options, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly PartitionedRateLimiter<string>? _users = Make(options.RequestsPerMinutePerUser, Minute);
    private readonly PartitionedRateLimiter<string>? _clients = Make(options.RequestsPerMinutePerClient, Minute);
    private readonly PartitionedRateLimiter<string>? _slots = Make(options.SlotSearchesPerMinutePerUser, Minute);
    private readonly PartitionedRateLimiter<string>? _holds = Make(options.HoldsPerHourPerUser, TimeSpan.FromHours(1));
    private readonly Budgets? _userBudgets = options.RecordsPerMinutePerUser == 0 ? null : new(options.RecordsPerMinutePerUser, clock);
    private readonly Budgets? _clientBudgets = options.RecordsPerMinutePerClient == 0 ? null : new(options.RecordsPerMinutePerClient, clock);

    /// <summary>From here on what the store does is put on the caller's account.</summary>
    /// <returns>Null where no budget is set.</returns>
    public RequestCost? Meter(Grant grant) => BudgetsOf(grant) is null ? null : RequestCost.Begin();

    /// <summary>Charges what a request has cost since it was charged last.</summary>
    public void Settle(FhirRequest request)
    {
        if (request.Cost is { } cost)
        {
            BudgetsOf(request.Grant)?.Charge(request.Grant.User?.AccountId ?? request.Grant.ClientId, cost.Take());
        }
    }

    /// <returns>Null where the request may be carried out.</returns>
    public FhirFailure? Check(FhirRequest request, FhirInteraction interaction)
    {
        Settle(request); // entries of a Bundle pay for those before them
        if (request.Grant.User is not { } user)
        {
            return Overdrawn(request.Grant.ClientId, _clientBudgets) ?? (_clients is null ? null : Take(_clients, request.Grant.ClientId, "This client sends more requests than it may."));
        }
        return Overdrawn(user.AccountId, _userBudgets)
            ?? Take(_users, user.AccountId, "More requests come in your name than may.")
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
        return lease.IsAcquired ? null : Refuse(why, lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) && wait > TimeSpan.Zero ? wait : TimeSpan.FromSeconds(1));
    }

    private static FhirFailure? Overdrawn(string who, Budgets? budgets) =>
        budgets?.Wait(who) is { } wait ? Refuse("What was asked before cost more than one caller may: searches that look at fewer records, and smaller pages, cost less.", wait) : null;

    private static FhirFailure Refuse(string why, TimeSpan wait) =>
        FhirFailure.Of(FailureKind.TooManyRequests, $"{why} Nothing was done. Send the request again later.") with { RetryAfter = wait };

    private Budgets? BudgetsOf(Grant grant) => grant.User is null ? _clientBudgets : _userBudgets;

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
