using Authorization.Server;
using Authorization.Tokens;
using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Authorization.Endpoints;

/// <summary>
/// What SMART wants in token responses beside OAuth: the granted scopes always (OAuth only where they differ from the request), and the
/// launch context.
/// </summary>
internal sealed class TellScopesAndContext(IOptions<AuthOptions> options) : IOpenIddictServerHandler<ProcessSignInContext>
{
    public ValueTask HandleAsync(ProcessSignInContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.EndpointType != OpenIddictServerEndpointType.Token || context.Principal is not { } principal)
        {
            return default;
        }
        var response = context.Response;
        response.Scope = string.Join(' ', principal.GetScopes());
        if (context.Request.IsClientCredentialsGrantType())
        {
            return default;
        }
        var launch = principal.Launch;
        Set("patient", launch.Patient);
        Set("encounter", launch.Encounter);
        Set("smart_style_url", options.Value.SmartStyleUrl);
        LaunchParameters.Write(launch, (name, value) => response[name] = value);
        return default;

        void Set(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                response[name] = value;
            }
        }
    }
}
