using Authorization.Access;
using Authorization.Server;
using Authorization.Trail;
using FhirCore.Auditing;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

/// <summary>
/// Sessions of browsers at this server's own pages. They live in the store, so every process knows them and ending one ends it
/// everywhere at once.
/// </summary>
public sealed class Sessions(
    SealedRecords<StoredSession> records, SessionIndex index, AccountDirectory accounts, PageCookies cookies, SecurityRecord trail, IOptions<AccountOptions> options, TimeProvider clock)
{
    private const int LongestDevice = 200;
    private static readonly TimeSpan Precision = TimeSpan.FromMinutes(1);
    private static readonly object Key = new();

    /// <returns>Null without a session, when it is over, and when its account is gone or disabled.</returns>
    /// <remarks>
    /// An account may be <see cref="AccountStatus.Pending"/>: such a person may look after their account and link it, but no app gets
    /// anything in their name.
    /// </remarks>
    public async ValueTask<SignedIn?> FindAsync(HttpContext context, CancellationToken ct) =>
        await FindAnyAsync(context, ct) is { MustAddSecondFactor: false } found ? found : null;

    /// <summary>Also those who must add a second factor first.</summary>
    internal async ValueTask<SignedIn?> FindAnyAsync(HttpContext context, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Items.TryGetValue(Key, out var known))
        {
            return (SignedIn?)known;
        }
        var found = await LookAsync(cookies.Read(context, PageCookies.Session), ct);
        context.Items[Key] = found;
        return found;
    }

    /// <summary>Begins a session and gives the browser its secret. A session the browser had before ends.</summary>
    /// <param name="methods">RFC 8176.</param>
    /// <param name="origin">Where an outside provider has signed them in.</param>
    public async Task<string> BeginAsync(HttpContext context, string accountId, string[] methods, CancellationToken ct, SessionOrigin? origin = null)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (cookies.Read(context, PageCookies.Session) is { } old)
        {
            await EndAsync(index.IdOf(old), ct);
        }
        var now = clock.GetUtcNow();
        var secret = SecretId.NewSecret();
        var device = context.Request.Headers.UserAgent.ToString();
        var session = new StoredSession
        {
            AccountId = accountId,
            Started = now,
            LastSeen = now,
            Ends = now + options.Value.SessionLifetime,
            Methods = methods,
            Device = device.Length > LongestDevice ? device[..LongestDevice] : device,
            Origin = origin,
        };
        var id = index.IdOf(secret);
        if (!await records.TryWriteAsync(id, session, 0, null, ct))
        {
            throw new InvalidOperationException("A new session has the id of another one.");
        }
        await trail.KeepSignInAsync(succeeded: true, accountId, context.Connection.RemoteIpAddress?.ToString(), string.Join(' ', methods), ct);
        cookies.Write(context, PageCookies.Session, secret);
        context.Items.Remove(Key);
        return id;
    }

    /// <summary>Ends the session of this browser, if it has one.</summary>
    /// <returns>Where an outside provider had signed them in.</returns>
    public async Task<SessionOrigin?> EndAsync(HttpContext context, CancellationToken ct)
    {
        var origin = default(SessionOrigin);
        ArgumentNullException.ThrowIfNull(context);
        if (cookies.Read(context, PageCookies.Session) is { } secret)
        {
            var session = await records.FindAsync(index.IdOf(secret), ct);
            cookies.Remove(context, PageCookies.Session);
            if (session is not null && await EndAsync(session.Id, ct))
            {
                var accountId = session.Value.AccountId;
                origin = session.Value.Origin;
                await trail.KeepAsync(
                    new(SecurityEventKind.SignOut, true, AccountId: accountId, FhirUser: await trail.FhirUserOfAsync(accountId, ct), Address: context.Connection.RemoteIpAddress), ct);
            }
        }
        context.Items.Remove(Key);
        return origin;
    }

    /// <summary>Ends those that an outside provider says are over.</summary>
    /// <param name="accountId">Whose; null for whosever the provider's session was.</param>
    /// <param name="sessionId">The provider's own id; null ends all that it has begun for the account.</param>
    /// <returns>The accounts that had one.</returns>
    public async Task<IReadOnlyCollection<string>> EndOutsideAsync(string issuer, string? accountId, string? sessionId, CancellationToken ct)
    {
        var ended = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var session in records.QueryAsync(sessionId is null ? index.Account(accountId ?? "") : index.Outside(issuer, sessionId), ct))
        {
            if (session.Value.Origin?.Issuer == issuer && (accountId is null || session.Value.AccountId == accountId) && await EndAsync(session.Id, ct))
            {
                ended.Add(session.Value.AccountId);
            }
        }
        return ended;
    }

    /// <returns>False where the account has no such session.</returns>
    public async Task<bool> EndAsync(string accountId, string sessionId, CancellationToken ct) =>
        await records.FindAsync(sessionId, ct) is { } found && found.Value.AccountId == accountId && await EndAsync(sessionId, ct);

    /// <param name="except">A session that goes on; null ends them all.</param>
    public async Task EndAllAsync(string accountId, string? except, CancellationToken ct)
    {
        await foreach (var session in records.QueryAsync(index.Account(accountId), ct))
        {
            if (session.Id != except)
            {
                await EndAsync(session.Id, ct);
            }
        }
    }

    /// <summary>Those that are not over, the latest first.</summary>
    public async Task<IReadOnlyList<Sealed<StoredSession>>> ListAsync(string accountId, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var all = new List<Sealed<StoredSession>>();
        await foreach (var session in records.QueryAsync(index.Account(accountId), ct))
        {
            if (!IsOver(session.Value, now, options.Value.SessionIdle))
            {
                all.Add(session);
            }
        }
        all.Sort(static (a, b) => b.Value.LastSeen.CompareTo(a.Value.LastSeen));
        return all;
    }

    internal static bool IsOver(StoredSession session, DateTimeOffset now, TimeSpan idle) => now >= session.Ends || now - session.LastSeen >= idle;

    private async ValueTask<SignedIn?> LookAsync(string? secret, CancellationToken ct)
    {
        if (secret is null || await records.FindAsync(index.IdOf(secret), ct) is not { } found)
        {
            return null;
        }
        var now = clock.GetUtcNow();
        var session = found.Value;
        if (IsOver(session, now, options.Value.SessionIdle)
            || await accounts.FindAsync(session.AccountId, ct) is not { Value.Status: not AccountStatus.Disabled } account)
        {
            return null;
        }
        var signedIn = new SignedIn(session.AccountId, account.Value, found.Id, session.Origin?.At ?? session.Started, session.Methods)
        {
            Started = session.Started,
            MustAddSecondFactor = options.Value.RequireTotpForStaff && account.Value.TotpSecret is null && !session.Methods.Contains("mfa")
                && account.Value.Roles.Exists(static held => held.Role != Role.Patient),
        };
        if (now - session.LastSeen >= Precision)
        {
            session.LastSeen = now;
            // Lost to another request of the same browser: that one has said the same. Lost to its end: then it is over.
            if (!await records.TryWriteAsync(found.Id, session, found.Version, null, ct) && await records.FindAsync(found.Id, ct) is null)
            {
                return null;
            }
        }
        return signedIn;
    }

    private async Task<bool> EndAsync(string id, CancellationToken ct)
    {
        while (await records.FindAsync(id, ct) is { } found)
        {
            if (await records.TryRemoveAsync(id, found.Version, ct))
            {
                return true;
            }
        }
        return false;
    }
}
