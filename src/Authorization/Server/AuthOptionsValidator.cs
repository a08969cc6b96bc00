using Authorization.Clients;
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
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Clients.Count; i++)
        {
            CheckClient(options.Clients[i], $"Auth:Clients:{i}", seen, errors);
        }
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void CheckClient(ClientOptions client, string key, HashSet<string> seen, List<string> errors)
    {
        if (!string.IsNullOrEmpty(client.JwksUri))
        {
            errors.Add($"{key}:JwksUri is not supported yet: give the client a ClientSecret.");
        }
        if (client.RedirectUris.Count > 0)
        {
            errors.Add($"{key}:RedirectUris is not supported yet: only clients that use client_credentials are.");
        }
        if (!ClientDefinition.TryCreate(client.ClientId, client.ClientSecret, client.Scope, out _, out var wrong))
        {
            errors.Add($"{key}:{wrong.Setting} {wrong.Problem}");
        }
        if (!seen.Add(client.ClientId))
        {
            errors.Add($"{key}:ClientId stands twice in Auth:Clients.");
        }
    }
}
