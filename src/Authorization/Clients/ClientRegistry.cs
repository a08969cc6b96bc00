using Authorization.Scopes;
using Authorization.Server;
using Authorization.Stores;
using FhirCore;
using Microsoft.Extensions.DependencyInjection;
using OpenIddict.Abstractions;
using OpenIddict.Core;
using OAuth = OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Clients;

/// <summary>Which clients there are. Secrets are kept as the hash OpenIddict makes of them.</summary>
public sealed class ClientRegistry(IServiceScopeFactory scopes)
{
    private const string SourceKey = "source";
    private const string FromSettings = "settings";
    private const int Attempts = 3;

    /// <summary>Registers a client for <c>client_credentials</c>, or gives one that exists a new secret and new scopes.</summary>
    /// <param name="scope">The most it may be granted: system scopes, separated by spaces.</param>
    /// <returns>Null when done.</returns>
    public async Task<FhirFailure?> RegisterAsync(string clientId, string secret, string scope, CancellationToken ct)
    {
        if (!ClientDefinition.TryCreate(clientId, secret, scope, out var client, out var wrong))
        {
            return FhirFailure.Of(FailureKind.Invalid, $"{wrong.Setting} {wrong.Problem}");
        }
        await SaveAsync(client, source: null, ct);
        return null;
    }

    public async Task<bool> ExistsAsync(string clientId, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await Applications(scope).FindByClientIdAsync(clientId, ct) is not null;
    }

    /// <summary>No new tokens for it from now on; those it has stop working within <see cref="Tokens.TokenAuthenticator.ClientCheckInterval"/>.</summary>
    /// <returns>False where there is no such client.</returns>
    public async Task<bool> RemoveAsync(string clientId, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var applications = Applications(scope);
        if (await applications.FindByClientIdAsync(clientId, ct) is not { } found)
        {
            return false;
        }
        await applications.DeleteAsync(found, ct);
        return true;
    }

    /// <summary>Makes the store hold exactly these of the clients that came from settings. Clients registered at run time stay.</summary>
    internal async Task SynchroniseAsync(IEnumerable<ClientOptions> settings, CancellationToken ct)
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var options in settings)
        {
            if (!ClientDefinition.TryCreate(options.ClientId, options.ClientSecret, options.Scope, out var client, out _))
            {
                throw new InvalidOperationException("The settings have not been validated.");
            }
            wanted.Add(client.ClientId);
            await SaveAsync(client, FromSettings, ct);
        }
        await using var scope = scopes.CreateAsyncScope();
        var applications = Applications(scope);
        var gone = new List<OAuthApplication>();
        await foreach (var application in applications.ListAsync(null, null, ct))
        {
            if (application.Settings?.GetValueOrDefault(SourceKey) == FromSettings && !wanted.Contains(application.ClientId!))
            {
                gone.Add(application);
            }
        }
        foreach (var application in gone)
        {
            await IgnoringRacesAsync(() => applications.DeleteAsync(application, ct));
        }
    }

    private async Task SaveAsync(ClientDefinition client, string? source, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            // A scope of its own: after a lost race nothing of the old state may be used.
            await using var scope = scopes.CreateAsyncScope();
            try
            {
                await SaveOnceAsync(Applications(scope), client, source, ct);
                return;
            }
            catch (OpenIddictExceptions.ConcurrencyException) when (attempt < Attempts)
            {
                // another process registers the same client: look again
            }
            catch (OpenIddictExceptions.ValidationException) when (attempt < Attempts)
            {
                // it was not there when we looked and was there when OpenIddict did: look again
            }
        }
    }

    private static async Task SaveOnceAsync(
        OpenIddictApplicationManager<OAuthApplication> applications, ClientDefinition client, string? source, CancellationToken ct)
    {
        var wanted = Describe(client, source);
        if (await applications.FindByClientIdAsync(client.ClientId, ct) is not { } found)
        {
            wanted.ClientSecret = client.Secret;
            await applications.CreateAsync(wanted, ct);
            return;
        }
        if (!await applications.ValidateClientSecretAsync(found, client.Secret, ct))
        {
            await applications.PopulateAsync(found, wanted, ct);
            await applications.UpdateAsync(found, client.Secret, ct);
        }
        else if (found.Settings?.GetValueOrDefault(SourceKey) != source || !wanted.Permissions.SetEquals(found.Permissions ?? []))
        {
            wanted.ClientSecret = found.ClientSecret;
            await applications.PopulateAsync(found, wanted, ct);
            await applications.UpdateAsync(found, ct);
        }
    }

    private static OpenIddictApplicationDescriptor Describe(ClientDefinition client, string? source)
    {
        var descriptor = new OpenIddictApplicationDescriptor
        {
            ClientId = client.ClientId,
            ClientType = OAuth.ClientTypes.Confidential,
            Permissions = { OAuth.Permissions.Endpoints.Token, OAuth.Permissions.GrantTypes.ClientCredentials },
        };
        foreach (var scope in client.Scopes)
        {
            descriptor.Permissions.Add(OAuth.Permissions.Prefixes.Scope + scope);
        }
        if (source is not null)
        {
            descriptor.Settings[SourceKey] = source;
        }
        return descriptor;
    }

    /// <summary>The scopes a client is registered with.</summary>
    internal static IEnumerable<SmartScope> ScopesOf(OAuthApplication application)
    {
        foreach (var permission in application.Permissions ?? [])
        {
            if (permission.StartsWith(OAuth.Permissions.Prefixes.Scope, StringComparison.Ordinal)
                && SmartScope.TryParse(permission[OAuth.Permissions.Prefixes.Scope.Length..], out var scope))
            {
                yield return scope;
            }
        }
    }

    private static OpenIddictApplicationManager<OAuthApplication> Applications(AsyncServiceScope scope) =>
        scope.ServiceProvider.GetRequiredService<OpenIddictApplicationManager<OAuthApplication>>();

    private static async Task IgnoringRacesAsync(Func<ValueTask> action)
    {
        try
        {
            await action();
        }
        catch (OpenIddictExceptions.ConcurrencyException)
        {
            // another process that starts with the same settings did it
        }
    }
}
