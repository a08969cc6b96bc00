using Authorization.Keys;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Core;
using OpenIddict.Server;

namespace Authorization.Server;

/// <summary>What OpenIddict is told when its first request comes: our keys, addresses and clock.</summary>
internal sealed class OpenIddictSettings(ServerKeys keys, PublicAddresses addresses, IOptions<AuthOptions> options, TimeProvider clock)
    : IConfigureOptions<OpenIddictServerOptions>, IConfigureOptions<OpenIddictCoreOptions>
{
    public void Configure(OpenIddictServerOptions openIddict)
    {
        ArgumentNullException.ThrowIfNull(openIddict);
        openIddict.Issuer = new(addresses.Issuer);
        openIddict.SigningCredentials.Add(new(keys.Signing, ServerKeys.SigningAlgorithm));
        openIddict.EncryptionCredentials.Add(new(keys.Encryption, SecurityAlgorithms.Aes256KW, SecurityAlgorithms.Aes256CbcHmacSha512));
        openIddict.AccessTokenLifetime = options.Value.AccessTokenLifetime;
        openIddict.TimeProvider = clock;
    }

    public void Configure(OpenIddictCoreOptions openIddict)
    {
        ArgumentNullException.ThrowIfNull(openIddict);
        openIddict.TimeProvider = clock;
    }
}
