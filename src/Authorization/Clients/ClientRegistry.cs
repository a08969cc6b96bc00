using System.Security.Cryptography;
using Authorization.Scopes;
using Authorization.Server;
using Authorization.Stores;
using FhirCore;
using FhirCore.Outbound;
using Microsoft.Extensions.DependencyInjection;
using OpenIddict.Abstractions;
using OpenIddict.Core;
using OAuth = OpenIddict.Abstractions.OpenIddictConstants;

namespace Authorization.Clients;

/// <summary>Which clients there are. Secrets are kept as the hash OpenIddict makes of them.</summary>
public sealed class ClientRegistry(IServiceScopeFactory scopes, OutboundGuard guard)
{
    private const int Attempts = 3;

    /// <summary>Registers a client for <c>client_credentials</c>, or gives one that exists a new secret and new scopes.</summary>
    /// <param name="scope">The most it may be granted: system scopes, separated by spaces.</param>
    /// <returns>Null when done.</returns>
    public async Task<FhirFailure?> RegisterAsync(string clientId, string secret, string scope, CancellationToken ct)
    {
        var options = new ClientOptions { ClientId = clientId, ClientSecret = secret, Scope = scope };
        return secret.Length == 0
            ? FhirFailure.Of(FailureKind.Invalid, "ClientSecret must not be empty.")
            : await RegisterAsync(options, ct);
    }

    /// <summary>Registers a client of any kind, or makes one that exists like this.</summary>
    /// <returns>Null when done.</returns>
    public async Task<FhirFailure?> RegisterAsync(ClientOptions options, CancellationToken ct)
    {
        if (!ClientDefinition.TryCreate(options, guard, out var client, out var wrong))
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
            if (!ClientDefinition.TryCreate(options, guard, out var client, out _))
            {
                throw new InvalidOperationException("The settings have not been validated.");
            }
            wanted.Add(client.ClientId);
            await SaveAsync(client, ClientSettings.FromSettings, ct);
        }
        await using var scope = scopes.CreateAsyncScope();
        var applications = Applications(scope);
        var gone = new List<OAuthApplication>();
        await foreach (var application in applications.ListAsync(null, null, ct))
        {
            if (ClientSettings.IsFromSettings(application) && !wanted.Contains(application.ClientId!))
            {
                gone.Add(application);
            }
        }
        foreach (var application in gone)
        {
            await IgnoringRacesAsync(() => applications.DeleteAsync(application, ct));
        }
    }

    /// <summary>A client that has registered itself: whole when approved, and without anything that could be used before that.</summary>
    /// <param name="options">Checked already; the secret stands for one.</param>
    internal OpenIddictApplicationDescriptor DescribeSelf(string clientId, ClientOptions options, bool isApproved)
    {
        options.ClientId = clientId;
        if (!ClientDefinition.TryCreate(options, guard, out var client, out var wrong))
        {
            throw new InvalidOperationException($"A registration that was checked is wrong: {wrong.Setting}.");
        }
        if (isApproved)
        {
            return Describe(client, ClientSettings.FromItself);
        }
        return new OpenIddictApplicationDescriptor
        {
            ClientId = clientId,
            DisplayName = client.Name,
            ApplicationType = OAuth.ApplicationTypes.Web,
            ClientType = client.Authentication == ClientAuthentication.None ? OAuth.ClientTypes.Public : OAuth.ClientTypes.Confidential,
            ConsentType = OAuth.ConsentTypes.Explicit,
            Settings =
            {
                [ClientSettings.Source] = ClientSettings.FromItself, [ClientSettings.Waiting] = ClientSettings.Yes,
                [ClientSettings.Authentication] = client.Authentication.ToString(),
            },
        };
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
            wanted.ClientSecret = SecretOf(client);
            await applications.CreateAsync(wanted, ct);
            return;
        }
        var keepsSecret = client.Authentication switch
        {
            ClientAuthentication.Secret => ClientSettings.AuthenticationOf(found) == ClientAuthentication.Secret
                && await applications.ValidateClientSecretAsync(found, client.Secret!, ct),
            var same => same == ClientSettings.AuthenticationOf(found),
        };
        if (!keepsSecret)
        {
            await applications.PopulateAsync(found, wanted, ct);
            await applications.UpdateAsync(found, SecretOf(client), ct);
        }
        else if (!IsAsDescribed(found, wanted))
        {
            wanted.ClientSecret = found.ClientSecret;
            await applications.PopulateAsync(found, wanted, ct);
            await applications.UpdateAsync(found, ct);
        }
    }

    /// <summary>OpenIddict wants a confidential client to have a secret: one with keys gets one that nobody knows, and is never asked for.</summary>
    private static string? SecretOf(ClientDefinition client) => client.Authentication switch
    {
        ClientAuthentication.Secret => client.Secret,
        ClientAuthentication.Keys => RandomNumberGenerator.GetHexString(64),
        _ => null,
    };

    private static bool IsAsDescribed(OAuthApplication found, OpenIddictApplicationDescriptor wanted) =>
        found.ClientType == wanted.ClientType
        && found.DisplayName == wanted.DisplayName
        && wanted.Permissions.SetEquals(found.Permissions ?? [])
        && wanted.Requirements.SetEquals(found.Requirements ?? [])
        && wanted.RedirectUris.Select(static uri => uri.OriginalString).ToHashSet().SetEquals(found.RedirectUris ?? [])
        && wanted.PostLogoutRedirectUris.Select(static uri => uri.OriginalString).ToHashSet().SetEquals(found.PostLogoutRedirectUris ?? [])
        && wanted.Settings.Count == (found.Settings?.Count ?? 0)
        && wanted.Settings.All(setting => found.Settings?.GetValueOrDefault(setting.Key) == setting.Value);

    private static OpenIddictApplicationDescriptor Describe(ClientDefinition client, string? source)
    {
        var descriptor = new OpenIddictApplicationDescriptor
        {
            ClientId = client.ClientId,
            DisplayName = client.Name,
            ApplicationType = OAuth.ApplicationTypes.Web,
            ClientType = client.Authentication == ClientAuthentication.None ? OAuth.ClientTypes.Public : OAuth.ClientTypes.Confidential,
            ConsentType = OAuth.ConsentTypes.Explicit,
            Permissions = { OAuth.Permissions.Endpoints.Token, OAuth.Permissions.Endpoints.Introspection, OAuth.Permissions.Endpoints.Revocation },
        };
        if (client.Scopes.AtLevel(ScopeLevel.System))
        {
            descriptor.Permissions.Add(OAuth.Permissions.GrantTypes.ClientCredentials);
        }
        if (client.RedirectUris.Length > 0)
        {
            descriptor.Permissions.UnionWith(
            [
                OAuth.Permissions.Endpoints.Authorization, OAuth.Permissions.Endpoints.EndSession, OAuth.Permissions.GrantTypes.AuthorizationCode,
                OAuth.Permissions.GrantTypes.RefreshToken, OAuth.Permissions.ResponseTypes.Code,
            ]);
            descriptor.Requirements.Add(OAuth.Requirements.Features.ProofKeyForCodeExchange);
            descriptor.RedirectUris.UnionWith(client.RedirectUris.Select(static uri => new Uri(uri)));
            descriptor.PostLogoutRedirectUris.UnionWith(client.PostLogoutRedirectUris.Select(static uri => new Uri(uri)));
        }
        foreach (var scope in client.Scopes.ToString().Split(' '))
        {
            descriptor.Permissions.Add(OAuth.Permissions.Prefixes.Scope + scope);
        }
        descriptor.Settings[ClientSettings.Authentication] = client.Authentication.ToString();
        Set(ClientSettings.Source, source);
        Set(ClientSettings.Jwks, client.Jwks);
        Set(ClientSettings.JwksUri, client.JwksUri);
        Set(ClientSettings.LaunchUrl, client.LaunchUrl);
        Set(ClientSettings.Origins, client.Origins.IsEmpty ? null : string.Join(' ', client.Origins));
        Set(ClientSettings.MayLaunch, client.MayLaunch ? ClientSettings.Yes : null);
        Set(ClientSettings.MayIntrospect, client.MayIntrospect ? ClientSettings.Yes : null);
        return descriptor;

        void Set(string key, string? value)
        {
            if (value is not null)
            {
                descriptor.Settings[key] = value;
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
