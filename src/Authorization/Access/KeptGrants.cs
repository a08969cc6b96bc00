using System.Collections.Immutable;
using Authorization.Accounts;
using Authorization.Scopes;
using Authorization.Server;
using Authorization.Stores;
using Authorization.Tokens;
using FhirCore;
using FhirCore.Records;
using FhirStore.Access;
using FhirStore.Sealed;
using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Access;

/// <summary>
/// What of a kept grant stands now: the client as it is registered, the account with the roles it has, what the user agreed to and has not
/// taken back. Without <c>offline_access</c> it stands for as long as the app holds an access token, which it can renew only while its
/// user is there.
/// </summary>
public sealed class KeptGrants(
    SealedRecords<OAuthApplication> applications, ApplicationIndex applicationIndex, SealedRecords<OAuthToken> tokens, TokenIndex tokenIndex,
    SealedRecords<OAuthAuthorization> authorizations, AccountDirectory accounts, IOptions<AuthOptions> options, TimeProvider clock)
{
    private const string ScopePermission = OpenIddictConstants.Permissions.Prefixes.Scope;

    public async ValueTask<Outcome<Grant>> ReviveAsync(KeptGrant kept, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(kept);
        if (options.Value.AllowAnonymousOnLoopback && kept.ClientId == TokenAuthenticator.AnonymousClient)
        {
            return Grant.Everything(kept.ClientId);
        }
        if (await applications.FirstAsync(applicationIndex.ClientId(kept.ClientId), ct) is not { } client)
        {
            return Ended("the client is no longer registered");
        }
        var registered = (client.Value.Permissions ?? []).Where(permission => permission.StartsWith(ScopePermission, StringComparison.Ordinal)).Select(permission => permission[ScopePermission.Length..]);
        var asked = string.Join(' ', kept.Scopes);
        var scopes = kept.Account is null
            ? SmartScopes.Negotiate(asked, SmartScopes.Parse(string.Join(' ', registered)))
            : SmartScopes.Negotiate(asked, SmartScopes.Parse(string.Join(' ', registered)), ScopeLevel.Patient, ScopeLevel.User);
        if (scopes.IsEmpty)
        {
            return Ended("the client is not registered for any of its scopes any more");
        }
        if (kept.Account is not { } accountId)
        {
            return new Grant(kept.ClientId, scopes);
        }
        if (kept.Agreement is { } agreement && !await StandsAsync(agreement, kept.WhileAway, ct))
        {
            return Ended("what the user agreed to is over, or was taken back");
        }
        if (await accounts.FindAsync(accountId, ct) is not { Value: { Status: AccountStatus.Active } account })
        {
            return Ended("the account cannot be used any more");
        }
        var launch = (kept.Patient ?? kept.Encounter) is null ? null : new LaunchContext(kept.Patient, kept.Encounter);
        return new Grant(kept.ClientId, scopes, new(accountId, TokenStanding.FhirUserOf(account), account.Roles.ToImmutableArray()), launch)
        {
            Agreement = kept.Agreement,
            WhileAway = kept.WhileAway,
        };
    }

    private async ValueTask<bool> StandsAsync(string agreement, bool whileAway, CancellationToken ct)
    {
        if ((await authorizations.FindAsync(agreement, ct))?.Value.Status is not Statuses.Valid)
        {
            return false;
        }
        var now = clock.GetUtcNow();
        await foreach (var token in tokens.QueryAsync(new Predicate.AllOf([tokenIndex.OfAuthorization(agreement), tokenIndex.Where(null, null, Statuses.Valid, null)]), ct))
        {
            if (!(token.Value.ExpirationDate <= now) && (whileAway ? token.Value.Type is TokenTypeIdentifiers.RefreshToken or TokenTypeIdentifiers.AccessToken : token.Value.Type == TokenTypeIdentifiers.AccessToken))
            {
                return true;
            }
        }
        return false;
    }

    private static FhirFailure Ended(string why) => FhirFailure.Of(FailureKind.Forbidden, $"The access has ended: {why}.");
}
