using Authorization.Keys;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Authorization.Tokens;

/// <summary>Signs with the key whose turn it is: OpenIddict knows only those that were there at the start, and one for all.</summary>
internal sealed class SignWithCurrentKey(ServerKeys keys) : IOpenIddictServerHandler<GenerateTokenContext>
{
    public ValueTask HandleAsync(GenerateTokenContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.SigningCredentials = keys.CurrentOf(context.TokenType == TokenTypeIdentifiers.IdentityToken ? KeySeries.IdToken : KeySeries.AccessToken).Credentials;
        return default;
    }
}

/// <summary>Lets OpenIddict verify what any of the published keys has signed.</summary>
internal sealed class VerifyWithAllKeys(ServerKeys keys) : IOpenIddictServerHandler<ValidateTokenContext>
{
    public ValueTask HandleAsync(ValidateTokenContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.TokenValidationParameters is { } rules)
        {
            rules.IssuerSigningKey = null;
            rules.IssuerSigningKeys = keys.Published.Select(static key => key.Key);
        }
        return default;
    }
}
