using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using FhirCore;
using FhirCore.Outbound;

namespace Authorization.Outside;

/// <summary>An outside provider as the settings describe it: everything checked.</summary>
public sealed record ExternalProvider
{
    private const int LongestName = 40;
    private const int LongestTitle = 60;
    private const int LongestText = 1_000;
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>What the request says by itself.</summary>
    private static readonly ImmutableArray<string> Own =
        ["response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "max_age", "request", "request_uri"];

    private readonly FrozenSet<string> _methods;
    private readonly FrozenSet<string> _classes;

    private ExternalProvider(ExternalProviderOptions options)
    {
        Name = options.Name;
        Title = string.IsNullOrWhiteSpace(options.Title) ? options.Name : options.Title.Trim();
        Issuer = options.Issuer;
        ClientId = options.ClientId;
        ClientSecret = options.ClientSecret.Length == 0 ? null : options.ClientSecret;
        Scopes = options.Scopes;
        Parameters = options.Parameters.ToImmutableSortedDictionary(StringComparer.Ordinal);
        PractitionerClaim = Given(options.PractitionerClaim);
        PractitionerSystem = Given(options.PractitionerSystem);
        Organization = Given(options.Organization);
        LinkByVerifiedEmail = options.LinkByVerifiedEmail;
        _methods = options.SecondFactorMethods.ToFrozenSet(StringComparer.Ordinal);
        _classes = options.SecondFactorClasses.ToFrozenSet(StringComparer.Ordinal);
    }

    public string Name { get; }

    public string Title { get; }

    public string Issuer { get; }

    public string ClientId { get; }

    public string? ClientSecret { get; }

    public string Scopes { get; }

    public ImmutableSortedDictionary<string, string> Parameters { get; }

    public string? PractitionerClaim { get; }

    public string? PractitionerSystem { get; }

    public string? Organization { get; }

    public bool LinkByVerifiedEmail { get; }

    /// <summary>Whether the provider has asked for a second factor, as far as the settings believe it.</summary>
    public bool HasSecondFactor(IEnumerable<string> amr, string? acr) => amr.Any(_methods.Contains) || (acr is not null && _classes.Contains(acr));

    /// <param name="wrong">Name of the setting that is wrong, and what is wrong with it; the secret is not repeated.</param>
    internal static bool TryCreate(
        ExternalProviderOptions options, OutboundGuard guard, [NotNullWhen(true)] out ExternalProvider? provider, out (string Setting, string Problem) wrong)
    {
        provider = null;
        wrong = Check(options, guard) ?? default;
        if (wrong.Setting is not null)
        {
            return false;
        }
        provider = new(options);
        return true;
    }

    private static (string Setting, string Problem)? Check(ExternalProviderOptions options, OutboundGuard guard)
    {
        if (options.Name is not { Length: >= 1 and <= LongestName } || options.Name.AsSpan().IndexOfAnyExcept(NameCharacters) >= 0)
        {
            return (nameof(options.Name), $"must have 1 to {LongestName} of a-z, 0-9 and '-'.");
        }
        if (options.Title is { Length: > LongestTitle } || options.Title?.Any(char.IsControl) is true)
        {
            return (nameof(options.Title), $"must have at most {LongestTitle} characters, none of them a control character.");
        }
        if (options.Issuer.Length > LongestText || !Uri.TryCreate(options.Issuer, UriKind.Absolute, out var issuer) || issuer.Query.Length > 0)
        {
            return (nameof(options.Issuer), "must be an absolute https address without query.");
        }
        if (guard.Refuse(issuer) is { } refusal)
        {
            return (nameof(options.Issuer), $"{refusal}; Auth:AllowedPrivateEndpoints can name exceptions as host:port.");
        }
        if (options.ClientId is not { Length: > 0 and <= LongestText })
        {
            return (nameof(options.ClientId), "is missing: the provider gives it when this server is registered there.");
        }
        if (!options.Scopes.Split(' ').Contains("openid", StringComparer.Ordinal))
        {
            return (nameof(options.Scopes), "must have openid among it.");
        }
        if (options.Parameters.Keys.FirstOrDefault(name => Own.Contains(name)) is { } taken)
        {
            return ($"{nameof(options.Parameters)}:{taken}", "is what the request says by itself.");
        }
        if (Given(options.PractitionerClaim) is null != Given(options.PractitionerSystem) is null)
        {
            return (nameof(options.PractitionerSystem), "goes with PractitionerClaim: both or neither.");
        }
        return Given(options.Organization) is { } organization && !FhirIds.IsValid(organization)
            ? (nameof(options.Organization), "must be the id of an Organization.")
            : null;
    }

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    // The generated text of a record would hold the secret.
    public override string ToString() => Name;
}

/// <summary>All of them, by name.</summary>
public sealed class ExternalProviders
{
    private readonly FrozenDictionary<string, ExternalProvider> _byName;

    /// <exception cref="InvalidOperationException">The settings have not been validated.</exception>
    public ExternalProviders(IEnumerable<ExternalProviderOptions> settings, OutboundGuard guard)
    {
        All = [.. settings.Select(options => ExternalProvider.TryCreate(options, guard, out var provider, out _) ? provider : throw new InvalidOperationException("The settings have not been validated."))];
        _byName = All.ToFrozenDictionary(static provider => provider.Name, StringComparer.Ordinal);
    }

    /// <summary>In the order of the settings.</summary>
    public ImmutableArray<ExternalProvider> All { get; }

    public ExternalProvider? Find(string? name) => name is not null && _byName.TryGetValue(name, out var provider) ? provider : null;
}
