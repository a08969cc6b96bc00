using Authorization.Accounts;
using Authorization.Clients;
using Authorization.Scopes;
using Authorization.Server;
using Authorization.Stores;
using Authorization.Tokens;
using FhirStore.Sealed;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Authorization.Endpoints;

/// <summary>
/// Who may ask about a token: the client it was given to, and a client that is registered to (a resource server). To others, and where
/// its account cannot be used any more, the token is not active.
/// </summary>
internal sealed class HoldIntrospection(SealedRecords<OAuthApplication> applications, ApplicationIndex index, AccountDirectory accounts)
    : IOpenIddictServerHandler<ValidateIntrospectionRequestContext>
{
    public async ValueTask HandleAsync(ValidateIntrospectionRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var token = context.GenericTokenPrincipal ?? throw new InvalidOperationException("OpenIddict has opened the token.");
        var ct = ClientAddress.Aborted(context.Transaction);
        var owner = token.GetClaim(Claims.ClientId) ?? token.GetPresenters().FirstOrDefault();
        var mayAsk = owner == context.ClientId
            || ((await applications.FirstAsync(index.ClientId(context.ClientId!), ct))?.Value is { } asker && ClientSettings.IsResourceServer(asker));
        var subject = token.GetClaim(Claims.Subject) ?? "";
        if (!mayAsk || (subject != owner && await accounts.FindAsync(subject, ct) is not { Value.Status: AccountStatus.Active }))
        {
            context.Reject(Errors.InvalidToken);
        }
    }
}

/// <summary>What SMART wants to be told, https://hl7.org/fhir/smart-app-launch/token-introspection.html: of the launch all that the app was told.</summary>
internal sealed class DescribeToken(AccountDirectory accounts, PublicAddresses addresses) : IOpenIddictServerHandler<HandleIntrospectionRequestContext>
{
    public async ValueTask HandleAsync(HandleIntrospectionRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var token = context.GenericTokenPrincipal;
        context.ClientId = token.GetClaim(Claims.ClientId) ?? token.GetPresenters().FirstOrDefault();
        context.Scopes.Clear();
        context.Scopes.UnionWith(token.GetScopes());
        context.Subject = token.GetClaim(Claims.Subject);
        context.Issuer = new(addresses.Issuer);
        Set(SmartClaims.Patient, token.GetClaim(SmartClaims.Patient));
        Set(SmartClaims.Encounter, token.GetClaim(SmartClaims.Encounter));
        LaunchParameters.Write(token.Launch, (name, value) => context.Claims[name] = value);
        if (token.HasScope(SignInScopes.OpenId) && token.HasScope(SignInScopes.FhirUser)
            && await accounts.FindAsync(context.Subject ?? "", ClientAddress.Aborted(context.Transaction)) is { } account
            && TokenStanding.FhirUserOf(account.Value) is { } fhirUser)
        {
            Set(SmartClaims.FhirUser, $"{addresses.FhirBase}/{fhirUser}");
        }

        void Set(string name, string? value)
        {
            if (value is not null)
            {
                context.Claims[name] = value;
            }
        }
    }
}

/// <summary>Revoking a refresh token ends the whole grant it belongs to, RFC 7009 section 2.1.</summary>
internal sealed class RevokeGrant(IOpenIddictTokenManager tokens, IOpenIddictAuthorizationManager authorizations) : IOpenIddictServerHandler<HandleRevocationRequestContext>
{
    public async ValueTask HandleAsync(HandleRevocationRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.GenericTokenPrincipal.GetTokenType() != TokenTypeIdentifiers.RefreshToken || context.GenericTokenPrincipal.GetAuthorizationId() is not { } id)
        {
            return;
        }
        var ct = ClientAddress.Aborted(context.Transaction);
        if (await authorizations.FindByIdAsync(id, ct) is { } authorization)
        {
            await authorizations.TryRevokeAsync(authorization, ct);
        }
        await tokens.RevokeByAuthorizationIdAsync(id, ct);
    }
}
