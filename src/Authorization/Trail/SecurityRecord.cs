using System.Net;
using Authorization.Accounts;
using FhirCore;
using FhirCore.Auditing;
using Microsoft.AspNetCore.Http;

namespace Authorization.Trail;

/// <summary>Puts what happens around sign-in on record before it is answered: docs/decisions/0103.</summary>
public sealed class SecurityRecord(ISecurityTrail trail, AccountDirectory accounts)
{
    /// <exception cref="NotOnRecordException">It could not be stored in time.</exception>
    public async Task KeepAsync(SecurityEvent happened, CancellationToken ct)
    {
        if (!await trail.RecordAsync(happened, ct))
        {
            throw new NotOnRecordException();
        }
    }

    /// <summary>Of someone who proved who they are, or failed to.</summary>
    /// <param name="accountId">Null where it is nobody's.</param>
    /// <param name="detail">How, or what was wrong: a short code, never what was typed.</param>
    public async Task KeepSignInAsync(bool succeeded, string? accountId, string? address, string detail, CancellationToken ct) => await KeepAsync(
        new(SecurityEventKind.SignIn, succeeded, AccountId: accountId, FhirUser: await FhirUserOfAsync(accountId, ct), Address: AddressOf(address), Detail: detail), ct);

    /// <param name="accountId">Of the person a token speaks for; null where a client speaks for itself.</param>
    public async ValueTask<ResourceKey?> FhirUserOfAsync(string? accountId, CancellationToken ct) =>
        accountId is not null && await accounts.FindAsync(accountId, ct) is { } account && ResourceKey.TryParse(account.Value.FhirUser, out var user) ? user : null;

    public static IPAddress? AddressOf(HttpContext? context) => context?.Connection.RemoteIpAddress;

    private static IPAddress? AddressOf(string? address) => IPAddress.TryParse(address, out var parsed) ? parsed : null;
}
