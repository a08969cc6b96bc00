using Authorization.Keys;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Core;
using OpenIddict.Server;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Server;

/// <summary>What OpenIddict is told when its first request comes: our keys, addresses and clock.</summary>
internal sealed class OpenIddictSettings(ServerKeys keys, PublicAddresses addresses, IOptions<AuthOptions> options, TimeProvider clock)
    : IConfigureOptions<OpenIddictServerOptions>, IConfigureOptions<OpenIddictCoreOptions>
{
    public void Configure(OpenIddictServerOptions openIddict)
    {
        ArgumentNullException.ThrowIfNull(openIddict);
        openIddict.Issuer = new(addresses.Issuer);
        // Only so that OpenIddict starts: which key signs and which verify is said for each token, by SignWithCurrentKey and VerifyWithAllKeys.
        openIddict.SigningCredentials.Add(new(keys.Signing, ServerKeys.SigningAlgorithm));
        openIddict.EncryptionCredentials.Add(new(keys.Encryption, SecurityAlgorithms.Aes256KW, SecurityAlgorithms.Aes256CbcHmacSha512));
        openIddict.AccessTokenLifetime = options.Value.AccessTokenLifetime;
        openIddict.IdentityTokenLifetime = options.Value.AccessTokenLifetime;
        openIddict.AuthorizationCodeLifetime = TimeSpan.FromMinutes(1);
        openIddict.RefreshTokenLifetime = options.Value.RefreshTokenLifetime;
        openIddict.RefreshTokenReuseLeeway = TimeSpan.Zero; // used twice is stolen once: the family ends
        openIddict.CodeChallengeMethods.Clear();
        openIddict.CodeChallengeMethods.Add(CodeChallengeMethods.Sha256);
        openIddict.ResponseModes.Clear();
        openIddict.ResponseModes.Add(ResponseModes.Query);
        openIddict.TimeProvider = clock;
    }

    public void Configure(OpenIddictCoreOptions openIddict)
    {
        ArgumentNullException.ThrowIfNull(openIddict);
        openIddict.TimeProvider = clock;
    }
}
