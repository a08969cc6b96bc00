using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FhirStore.Sealed;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Authorization.Accounts;

public enum CodeResult
{
    Right,
    Wrong,
    /// <summary>Too late, or tried too often: only a new code helps.</summary>
    Over,
}

/// <summary>Codes of six digits: how long one is good, and how often it may be tried.</summary>
internal static class CodeRules
{
    /// <summary>Five of a million: one guess in two hundred thousand codes gets through.</summary>
    public const int MostTries = 5;

    public static readonly TimeSpan BetweenCodes = TimeSpan.FromMinutes(1);

    public static bool IsOpen(StoredFlow flow, DateTimeOffset now) => now < flow.CodeEnds && flow.Tries < MostTries;

    public static bool MaySendAgain(StoredFlow flow, DateTimeOffset now) => now >= flow.CodeSent + BetweenCodes;

    public static string NewCode() => RandomNumberGenerator.GetInt32(1_000_000).ToString("D6", CultureInfo.InvariantCulture);
}

/// <summary>What browsers have begun, in the store: any process may answer the next step.</summary>
public sealed class Flows(SealedRecords<StoredFlow> records, FlowIndex index, PageCookies cookies, IOptions<AccountOptions> options, TimeProvider clock)
{
    /// <summary>From the first step to the last.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <summary>From the right password to the second factor, and from a challenge to the answer.</summary>
    public static readonly TimeSpan SignInLifetime = TimeSpan.FromMinutes(10);

    /// <summary>Gives the browser the secret of a new flow; one it had before is left to end by itself.</summary>
    /// <returns>The code to be sent; null where the flow is not to be opened by one.</returns>
    public async Task<string?> BeginAsync(HttpContext context, StoredFlow flow, bool withCode, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(flow);
        var secret = SecretId.NewSecret();
        var id = index.IdOf(secret);
        var now = clock.GetUtcNow();
        flow.Ends = now + (flow.Kind is FlowKind.Register or FlowKind.Reset ? Lifetime : SignInLifetime);
        var code = Renew(id, flow, now, withCode);
        if (!await records.TryWriteAsync(id, flow, 0, null, ct))
        {
            throw new InvalidOperationException("A new flow has the id of another one.");
        }
        cookies.Write(context, PageCookies.Flow, secret);
        return code;
    }

    /// <returns>Null where this browser has begun nothing, or its time is over.</returns>
    public async Task<Sealed<StoredFlow>?> FindAsync(HttpContext context, FlowKind kind, CancellationToken ct) =>
        await FindAsync(context, ct) is { } found && found.Value.Kind == kind ? found : null;

    public async Task<Sealed<StoredFlow>?> FindAsync(HttpContext context, CancellationToken ct) =>
        cookies.Read(context, PageCookies.Flow) is { } secret && await records.FindAsync(index.IdOf(secret), ct) is { } found && clock.GetUtcNow() < found.Value.Ends
            ? found
            : null;

    /// <summary>Counts the try, then compares.</summary>
    public async Task<CodeResult> TryCodeAsync(string flowId, string code, CancellationToken ct)
    {
        while (await records.FindAsync(flowId, ct) is { } found)
        {
            var flow = found.Value;
            if (!CodeRules.IsOpen(flow, clock.GetUtcNow()))
            {
                return CodeResult.Over;
            }
            flow.Tries++;
            var right = flow.Code is { } expected
                && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(index.CodeToken(flowId, code)));
            if (right)
            {
                flow.Proven = true;
                flow.Code = null; // no code is right twice
            }
            if (await records.TryWriteAsync(flowId, flow, found.Version, null, ct))
            {
                return right ? CodeResult.Right : flow.Tries < CodeRules.MostTries ? CodeResult.Wrong : CodeResult.Over;
            }
        }
        return CodeResult.Over;
    }

    /// <returns>The flow with its new code (null: no code opens it); null where it is too early for another one.</returns>
    public async Task<(StoredFlow Flow, string? Code)?> RenewAsync(string flowId, bool withCode, CancellationToken ct)
    {
        while (await records.FindAsync(flowId, ct) is { } found)
        {
            var now = clock.GetUtcNow();
            if (!CodeRules.MaySendAgain(found.Value, now) || found.Value.Proven)
            {
                return null;
            }
            var code = Renew(flowId, found.Value, now, withCode);
            if (await records.TryWriteAsync(flowId, found.Value, found.Version, null, ct))
            {
                return (found.Value, code);
            }
        }
        return null;
    }

    /// <returns>False where another request has ended it first: what follows is done once.</returns>
    public async Task<bool> EndAsync(HttpContext context, Sealed<StoredFlow> flow, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(flow);
        cookies.Remove(context, PageCookies.Flow);
        return await records.TryRemoveAsync(flow.Id, flow.Version, ct);
    }

    private string? Renew(string id, StoredFlow flow, DateTimeOffset now, bool withCode)
    {
        var code = withCode ? CodeRules.NewCode() : null;
        flow.Code = code is null ? null : index.CodeToken(id, code);
        flow.CodeEnds = now + options.Value.CodeLifetime;
        flow.CodeSent = now;
        flow.Tries = 0;
        return code;
    }
}
