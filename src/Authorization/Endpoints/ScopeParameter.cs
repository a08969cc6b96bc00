using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Server.OpenIddictServerEvents;
using OAuth = OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Endpoints;

/// <summary>
/// Scopes that mean something to a user's sign-in mean nothing here, and are left out like any other that cannot be granted:
/// OpenIddict would refuse the whole request for <c>offline_access</c>.
/// </summary>
internal sealed class DropSignInScopes : IOpenIddictServerHandler<ValidateTokenRequestContext>
{
    public ValueTask HandleAsync(ValidateTokenRequestContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Request.IsClientCredentialsGrantType())
        {
            context.Request.Scope = string.Join(' ', context.Request.GetScopes().Where(scope => scope is not (OAuth.Scopes.OpenId or OAuth.Scopes.OfflineAccess)));
        }
        return default;
    }
}
