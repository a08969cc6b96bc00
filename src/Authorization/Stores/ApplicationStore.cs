using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;

namespace Authorization.Stores;

/// <summary>Index of client records.</summary>
public sealed class ApplicationIndex(IndexTokens tokens)
{
    public const string RecordType = "_OAuthApplication";
    private readonly TokenField _clientId = new(tokens, RecordType, "client-id");
    private readonly TokenField _redirectUri = new(tokens, RecordType, "redirect-uri");
    private readonly TokenField _postLogoutRedirectUri = new(tokens, RecordType, "post-logout-redirect-uri");

    public Predicate ClientId(string value) => _clientId.Is(value);

    public Predicate RedirectUri(string value) => _redirectUri.Is(value);

    public Predicate PostLogoutRedirectUri(string value) => _postLogoutRedirectUri.Is(value);

    public void Add(OAuthApplication application, IndexEntries.Builder entries)
    {
        _clientId.Add(entries, application.ClientId);
        foreach (var uri in application.RedirectUris ?? [])
        {
            _redirectUri.Add(entries, uri);
        }
        foreach (var uri in application.PostLogoutRedirectUris ?? [])
        {
            _postLogoutRedirectUri.Add(entries, uri);
        }
    }
}

public sealed class ApplicationStore(SealedRecords<OAuthApplication> records, ApplicationIndex index, TimeProvider clock)
    : SealedStore<OAuthApplication>(records, clock), IOpenIddictApplicationStore<OAuthApplication>
{
    public ValueTask<OAuthApplication?> FindByClientIdAsync(string identifier, CancellationToken cancellationToken) =>
        FirstAsync(index.ClientId(identifier), cancellationToken);

    public IAsyncEnumerable<OAuthApplication> FindByPostLogoutRedirectUriAsync(string uri, CancellationToken cancellationToken) =>
        WhereAsync(index.PostLogoutRedirectUri(uri), cancellationToken);

    public IAsyncEnumerable<OAuthApplication> FindByRedirectUriAsync(string uri, CancellationToken cancellationToken) =>
        WhereAsync(index.RedirectUri(uri), cancellationToken);

    public ValueTask<string?> GetApplicationTypeAsync(OAuthApplication application, CancellationToken cancellationToken) => new(application.ApplicationType);

    public ValueTask<string?> GetClientIdAsync(OAuthApplication application, CancellationToken cancellationToken) => new(application.ClientId);

    public ValueTask<string?> GetClientSecretAsync(OAuthApplication application, CancellationToken cancellationToken) => new(application.ClientSecret);

    public ValueTask<string?> GetClientTypeAsync(OAuthApplication application, CancellationToken cancellationToken) => new(application.ClientType);

    public ValueTask<string?> GetConsentTypeAsync(OAuthApplication application, CancellationToken cancellationToken) => new(application.ConsentType);

    public ValueTask<string?> GetDisplayNameAsync(OAuthApplication application, CancellationToken cancellationToken) => new(application.DisplayName);

    public ValueTask<ImmutableDictionary<CultureInfo, string>> GetDisplayNamesAsync(OAuthApplication application, CancellationToken cancellationToken) =>
        new(Localised(application.DisplayNames));

    public ValueTask<JsonWebKeySet?> GetJsonWebKeySetAsync(OAuthApplication application, CancellationToken cancellationToken) =>
        new(application.JsonWebKeySet is null ? null : JsonWebKeySet.Create(application.JsonWebKeySet));

    public ValueTask<ImmutableArray<string>> GetPermissionsAsync(OAuthApplication application, CancellationToken cancellationToken) =>
        new(List(application.Permissions));

    public ValueTask<ImmutableArray<string>> GetPostLogoutRedirectUrisAsync(OAuthApplication application, CancellationToken cancellationToken) =>
        new(List(application.PostLogoutRedirectUris));

    public ValueTask<ImmutableArray<string>> GetRedirectUrisAsync(OAuthApplication application, CancellationToken cancellationToken) =>
        new(List(application.RedirectUris));

    public ValueTask<ImmutableArray<string>> GetRequirementsAsync(OAuthApplication application, CancellationToken cancellationToken) =>
        new(List(application.Requirements));

    public ValueTask<ImmutableDictionary<string, string>> GetSettingsAsync(OAuthApplication application, CancellationToken cancellationToken) =>
        new(application.Settings?.ToImmutableDictionary() ?? ImmutableDictionary<string, string>.Empty);

    public ValueTask SetApplicationTypeAsync(OAuthApplication application, string? type, CancellationToken cancellationToken)
    {
        application.ApplicationType = type;
        return default;
    }

    public ValueTask SetClientIdAsync(OAuthApplication application, string? identifier, CancellationToken cancellationToken)
    {
        application.ClientId = identifier;
        return default;
    }

    public ValueTask SetClientSecretAsync(OAuthApplication application, string? secret, CancellationToken cancellationToken)
    {
        application.ClientSecret = secret;
        return default;
    }

    public ValueTask SetClientTypeAsync(OAuthApplication application, string? type, CancellationToken cancellationToken)
    {
        application.ClientType = type;
        return default;
    }

    public ValueTask SetConsentTypeAsync(OAuthApplication application, string? type, CancellationToken cancellationToken)
    {
        application.ConsentType = type;
        return default;
    }

    public ValueTask SetDisplayNameAsync(OAuthApplication application, string? name, CancellationToken cancellationToken)
    {
        application.DisplayName = name;
        return default;
    }

    public ValueTask SetDisplayNamesAsync(
        OAuthApplication application, ImmutableDictionary<CultureInfo, string> names, CancellationToken cancellationToken)
    {
        application.DisplayNames = Keep(names);
        return default;
    }

    public ValueTask SetJsonWebKeySetAsync(OAuthApplication application, JsonWebKeySet? set, CancellationToken cancellationToken)
    {
        application.JsonWebKeySet = set is null ? null : JsonSerializer.Serialize(set, OpenIddictSerializer.Default.JsonWebKeySet);
        return default;
    }

    public ValueTask SetPermissionsAsync(OAuthApplication application, ImmutableArray<string> permissions, CancellationToken cancellationToken)
    {
        application.Permissions = Keep(permissions);
        return default;
    }

    public ValueTask SetPostLogoutRedirectUrisAsync(OAuthApplication application, ImmutableArray<string> uris, CancellationToken cancellationToken)
    {
        application.PostLogoutRedirectUris = Keep(uris);
        return default;
    }

    public ValueTask SetRedirectUrisAsync(OAuthApplication application, ImmutableArray<string> uris, CancellationToken cancellationToken)
    {
        application.RedirectUris = Keep(uris);
        return default;
    }

    public ValueTask SetRequirementsAsync(OAuthApplication application, ImmutableArray<string> requirements, CancellationToken cancellationToken)
    {
        application.Requirements = Keep(requirements);
        return default;
    }

    public ValueTask SetSettingsAsync(OAuthApplication application, ImmutableDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        application.Settings = settings is { Count: > 0 } ? new(settings) : null;
        return default;
    }

    // Two processes that register one client at the same time must not make two.
    private protected override Predicate? Duplicate(OAuthApplication entity) =>
        string.IsNullOrEmpty(entity.ClientId) ? null : index.ClientId(entity.ClientId);
}
