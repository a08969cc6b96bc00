using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;

namespace Authorization.Launch;

/// <summary>An EHR has opened an app for a user, with something in view.</summary>
public sealed class LaunchTicket
{
    /// <summary>The app that may use it.</summary>
    public required string ClientId { get; set; }

    /// <summary>The account that may.</summary>
    public required string AccountId { get; set; }

    public required SmartLaunch Launch { get; set; }

    public DateTimeOffset Until { get; set; }
}

/// <summary>
/// Values of the <c>launch</c> parameter: short-lived, for one user of one app, used up by the one authorization they lead to. The
/// record's id is a keyed token of the value, so the store does not tell it.
/// </summary>
public sealed class Launches(SealedRecords<LaunchTicket> tickets, IndexTokens tokens, TimeProvider clock)
{
    public const string RecordType = "_Launch";

    /// <summary>Long enough to sign in and to read what the app asks for.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private readonly Lazy<IndexTokenKey> _secrets = new(() => tokens.KeyFor($"{RecordType}/secret"));

    internal static void Add(LaunchTicket ticket, IndexEntries.Builder entries) => EndsField.Add(entries, ticket.Until);

    /// <returns>The value of the launch parameter.</returns>
    public async Task<string> CreateAsync(string clientId, string accountId, SmartLaunch launch, CancellationToken ct)
    {
        var secret = SecretId.NewSecret();
        var ticket = new LaunchTicket { ClientId = clientId, AccountId = accountId, Launch = launch, Until = clock.GetUtcNow() + Lifetime };
        return await tickets.TryWriteAsync(SecretId.Of(_secrets.Value, secret), ticket, 0, null, ct)
            ? secret : throw new InvalidOperationException("A new launch has the id of another one.");
    }

    /// <returns>Null where it is unknown, used, over, or somebody else's.</returns>
    public async ValueTask<SmartLaunch?> FindAsync(string secret, string clientId, string accountId, CancellationToken ct) =>
        await tickets.FindAsync(SecretId.Of(_secrets.Value, secret), ct) is { Value: var ticket }
            && ticket.ClientId == clientId && ticket.AccountId == accountId && ticket.Until > clock.GetUtcNow()
            ? ticket.Launch : null;

    /// <returns>False when another authorization has used it meanwhile.</returns>
    public async Task<bool> TryUseAsync(string secret, CancellationToken ct) =>
        await tickets.FindAsync(SecretId.Of(_secrets.Value, secret), ct) is { } found && await tickets.TryRemoveAsync(found.Id, found.Version, ct);

    /// <returns>How many were over.</returns>
    public async Task<long> SweepAsync(CancellationToken ct)
    {
        var removed = 0L;
        await foreach (var ticket in tickets.QueryAsync(EndsField.Before(clock.GetUtcNow()), ct))
        {
            removed += await tickets.TryRemoveAsync(ticket.Id, ticket.Version, ct) ? 1 : 0;
        }
        return removed;
    }
}
