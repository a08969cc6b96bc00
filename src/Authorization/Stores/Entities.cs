using System.Text.Json;
using System.Text.Json.Serialization;

namespace Authorization.Stores;

/// <summary>What OpenIddict keeps, as the JSON of our sealed records. Its managers read and write it through the stores only.</summary>
public abstract class OAuthEntity
{
    public string Id { get; set; } = "";

    /// <summary>Version of the record this was read from; 0 before it is written.</summary>
    [JsonIgnore]
    public long Version { get; set; }

    public Dictionary<string, JsonElement>? Properties { get; set; }
}

/// <summary>A client: its secret is the hash OpenIddict made of it.</summary>
public sealed class OAuthApplication : OAuthEntity
{
    public string? ApplicationType { get; set; }

    public string? ClientId { get; set; }

    public string? ClientSecret { get; set; }

    public string? ClientType { get; set; }

    public string? ConsentType { get; set; }

    public string? DisplayName { get; set; }

    public Dictionary<string, string>? DisplayNames { get; set; }

    /// <summary>The client's public keys, as the JSON of a JWK set.</summary>
    public string? JsonWebKeySet { get; set; }

    public string[]? Permissions { get; set; }

    public string[]? PostLogoutRedirectUris { get; set; }

    public string[]? RedirectUris { get; set; }

    public string[]? Requirements { get; set; }

    public Dictionary<string, string>? Settings { get; set; }
}

public sealed class OAuthAuthorization : OAuthEntity
{
    public string? ApplicationId { get; set; }

    public DateTimeOffset? CreationDate { get; set; }

    public string[]? Scopes { get; set; }

    public string? Status { get; set; }

    public string? Subject { get; set; }

    public string? Type { get; set; }
}

public sealed class OAuthScope : OAuthEntity
{
    public string? Name { get; set; }

    public string? Description { get; set; }

    public Dictionary<string, string>? Descriptions { get; set; }

    public string? DisplayName { get; set; }

    public Dictionary<string, string>? DisplayNames { get; set; }

    public string[]? Resources { get; set; }
}

public sealed class OAuthToken : OAuthEntity
{
    public string? ApplicationId { get; set; }

    public string? AuthorizationId { get; set; }

    public DateTimeOffset? CreationDate { get; set; }

    public DateTimeOffset? ExpirationDate { get; set; }

    public string? Payload { get; set; }

    public DateTimeOffset? RedemptionDate { get; set; }

    public string? ReferenceId { get; set; }

    public string? Status { get; set; }

    public string? Subject { get; set; }

    public string? Type { get; set; }
}
