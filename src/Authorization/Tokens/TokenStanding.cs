using System.Collections.Immutable;
using Authorization.Access;
using Authorization.Accounts;
using Authorization.Clients;
using Authorization.Stores;
using FhirCore;
using FhirStore.Sealed;
using Microsoft.IdentityModel.JsonWebTokens;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Tokens;

/// <summary>Whether what a token was given for still stands: itself, its client, the user's grant, the user's account.</summary>
public sealed class TokenStanding(
    SealedRecords<OAuthApplication> applications, ApplicationIndex index, SealedRecords<OAuthToken> tokens, SealedRecords<OAuthAuthorization> authorizations, AccountDirectory accounts)
{
    /// <summary>Names OpenIddict gives to the ids of a token's own record, and of its grant's.</summary>
    internal const string TokenId = Claims.Private.TokenId;
    internal const string AuthorizationId = Claims.Private.AuthorizationId;

    /// <param name="User">Null where the client acts for itself.</param>
    public sealed record Standing(GrantedUser? User);

    /// <param name="jwt">Verified.</param>
    public async ValueTask<Outcome<Standing>> OfAsync(JsonWebToken jwt, string clientId, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(jwt);
        if (await applications.FirstAsync(index.ClientId(clientId), ct) is not { } client || !ClientSettings.IsApproved(client.Value))
        {
            return TokenAuthenticator.Invalid("belongs to a client that is no longer registered");
        }
        if ((jwt.TryGetPayloadValue<string>(TokenId, out var tokenId) && (await tokens.FindAsync(tokenId, ct))?.Value.Status is not Statuses.Valid)
            || (jwt.TryGetPayloadValue<string>(AuthorizationId, out var grantId) && (await authorizations.FindAsync(grantId, ct))?.Value.Status is not Statuses.Valid))
        {
            return TokenAuthenticator.Invalid("has been revoked");
        }
        if (string.IsNullOrEmpty(jwt.Subject) || jwt.Subject == clientId)
        {
            return new Standing(null);
        }
        return await accounts.FindAsync(jwt.Subject, ct) is { Value: { Status: AccountStatus.Active } account }
            ? new Standing(new(jwt.Subject, FhirUserOf(account), account.Roles.ToImmutableArray()))
            : TokenAuthenticator.Invalid("speaks for an account that cannot be used");
    }

    /// <returns>Null where nobody has linked the account yet.</returns>
    internal static ResourceKey? FhirUserOf(Account account) =>
        ResourceKey.TryParse(account.FhirUser, out var key) ? key : null;
}
