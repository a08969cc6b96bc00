using Authorization.Clients;
using Authorization.Outside;
using Authorization.Scopes;
using Authorization.SelfRegistration;
using FhirCore.Outbound;
using Microsoft.Extensions.Options;

namespace Authorization.Server;

/// <summary>Stops the start on a wrong setting, with the key's name and never its secret value.</summary>
internal sealed class AuthOptionsValidator : IValidateOptions<AuthOptions>
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, AuthOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var errors = new List<string>();
        if (options.AccessTokenLifetime < Shortest || options.AccessTokenLifetime > Longest)
        {
            errors.Add($"Auth:AccessTokenLifetime must be from {Shortest} to {Longest}.");
        }
        if (options.RefreshTokenLifetime < TimeSpan.FromHours(1) || options.RefreshTokenLifetime > TimeSpan.FromDays(366))
        {
            errors.Add("Auth:RefreshTokenLifetime must be from 01:00:00 to 366.00:00:00.");
        }
        if (options.KeyRotation < TimeSpan.FromDays(2) || options.KeyRotation > TimeSpan.FromDays(730))
        {
            errors.Add("Auth:KeyRotation must be from 2.00:00:00 to 730.00:00:00.");
        }
        if (!string.IsNullOrEmpty(options.SmartStyleUrl) && !(Uri.TryCreate(options.SmartStyleUrl, UriKind.Absolute, out var style) && style.Scheme is "https" or "http"))
        {
            errors.Add("Auth:SmartStyleUrl must be an absolute http or https address.");
        }
        errors.AddRange(options.Brand.Wrong().Select(static name => $"Auth:Brand:{name} must be an absolute https or http address."));
        if (!AllowedEndpoints.TryParse(options.AllowedPrivateEndpoints, out var allowed, out var entry))
        {
            errors.Add($"Auth:AllowedPrivateEndpoints has '{entry}', which is neither host:port nor a network such as 10.1.0.0/16.");
        }
        var guard = new OutboundGuard(allowed ?? AllowedEndpoints.None);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Clients.Count; i++)
        {
            CheckClient(options.Clients[i], guard, $"Auth:Clients:{i}", seen, errors);
        }
        CheckRegistration(options.Registration, guard, errors);
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.ExternalProviders.Count; i++)
        {
            CheckProvider(options.ExternalProviders[i], guard, $"Auth:ExternalProviders:{i}", names, errors);
        }
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void CheckRegistration(SelfRegistrationOptions registration, OutboundGuard guard, List<string> errors)
    {
        if (!SmartScopes.TryParseRegistration(registration.Scope, out _, out var problem))
        {
            errors.Add($"Auth:Registration:Scope is wrong: {problem}");
        }
        if (registration.PendingLifetime < TimeSpan.FromHours(1) || registration.PendingLifetime > TimeSpan.FromDays(90))
        {
            errors.Add("Auth:Registration:PendingLifetime must be from 01:00:00 to 90.00:00:00.");
        }
        if (registration.MostPending is < 1 or > 10_000)
        {
            errors.Add("Auth:Registration:MostPending must be from 1 to 10000.");
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < registration.StatementIssuers.Count; i++)
        {
            var (issuer, key) = (registration.StatementIssuers[i], $"Auth:Registration:StatementIssuers:{i}");
            if (issuer.Issuer.Length == 0 || !seen.Add(issuer.Issuer))
            {
                errors.Add($"{key}:Issuer is missing, or stands twice.");
            }
            if (string.IsNullOrEmpty(issuer.JwksUri) == string.IsNullOrEmpty(issuer.Jwks))
            {
                errors.Add($"{key}:JwksUri or Jwks is needed, and only one of them.");
            }
            else if (issuer.Jwks is { Length: > 0 } jwks ? !ClientKeySet.TryParse(System.Text.Encoding.UTF8.GetBytes(jwks), out var keys, out _) || !keys.CanVerify : !Uri.TryCreate(issuer.JwksUri, UriKind.Absolute, out var address) || guard.Refuse(address) is not null)
            {
                errors.Add(issuer.Jwks is { Length: > 0 } ? $"{key}:Jwks has no key that could verify." : $"{key}:JwksUri must be an https address of the public internet, or one that Auth:AllowedPrivateEndpoints names.");
            }
        }
    }

    private static void CheckProvider(ExternalProviderOptions provider, OutboundGuard guard, string key, HashSet<string> names, List<string> errors)
    {
        if (!ExternalProvider.TryCreate(provider, guard, out _, out var wrong))
        {
            errors.Add($"{key}:{wrong.Setting} {wrong.Problem}");
        }
        if (!names.Add(provider.Name))
        {
            errors.Add($"{key}:Name stands twice in Auth:ExternalProviders.");
        }
    }

    private static void CheckClient(ClientOptions client, OutboundGuard guard, string key, HashSet<string> seen, List<string> errors)
    {
        if (!ClientDefinition.TryCreate(client, guard, out _, out var wrong))
        {
            errors.Add($"{key}:{wrong.Setting} {wrong.Problem}");
        }
        if (!seen.Add(client.ClientId))
        {
            errors.Add($"{key}:ClientId stands twice in Auth:Clients.");
        }
    }
}
