using System.Collections.Immutable;
using System.Globalization;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;
using OpenIddict.Abstractions;

namespace Authorization.Stores;

/// <summary>Index of scope records.</summary>
public sealed class ScopeIndex(IndexTokens tokens)
{
    public const string RecordType = "_OAuthScope";
    private readonly TokenField _name = new(tokens, RecordType, "name");
    private readonly TokenField _resource = new(tokens, RecordType, "resource");

    public Predicate Name(string value) => _name.Is(value);

    public Predicate Resource(string value) => _resource.Is(value);

    public void Add(OAuthScope scope, IndexEntries.Builder entries)
    {
        _name.Add(entries, scope.Name);
        foreach (var resource in scope.Resources ?? [])
        {
            _resource.Add(entries, resource);
        }
    }
}

/// <summary>Scopes with a name of their own. SMART resource scopes are a language, not a list: they are not kept here.</summary>
public sealed class ScopeStore(SealedRecords<OAuthScope> records, ScopeIndex index, TimeProvider clock)
    : SealedStore<OAuthScope>(records, clock), IOpenIddictScopeStore<OAuthScope>
{
    public ValueTask<OAuthScope?> FindByNameAsync(string name, CancellationToken cancellationToken) => FirstAsync(index.Name(name), cancellationToken);

    public IAsyncEnumerable<OAuthScope> FindByNamesAsync(ImmutableArray<string> names, CancellationToken cancellationToken) =>
        WhereAsync(new Predicate.AnyOf([.. names.Select(index.Name)]), cancellationToken);

    public IAsyncEnumerable<OAuthScope> FindByResourceAsync(string resource, CancellationToken cancellationToken) =>
        WhereAsync(index.Resource(resource), cancellationToken);

    public ValueTask<string?> GetDescriptionAsync(OAuthScope scope, CancellationToken cancellationToken) => new(scope.Description);

    public ValueTask<ImmutableDictionary<CultureInfo, string>> GetDescriptionsAsync(OAuthScope scope, CancellationToken cancellationToken) =>
        new(Localised(scope.Descriptions));

    public ValueTask<string?> GetDisplayNameAsync(OAuthScope scope, CancellationToken cancellationToken) => new(scope.DisplayName);

    public ValueTask<ImmutableDictionary<CultureInfo, string>> GetDisplayNamesAsync(OAuthScope scope, CancellationToken cancellationToken) =>
        new(Localised(scope.DisplayNames));

    public ValueTask<string?> GetNameAsync(OAuthScope scope, CancellationToken cancellationToken) => new(scope.Name);

    public ValueTask<ImmutableArray<string>> GetResourcesAsync(OAuthScope scope, CancellationToken cancellationToken) => new(List(scope.Resources));

    public ValueTask SetDescriptionAsync(OAuthScope scope, string? description, CancellationToken cancellationToken)
    {
        scope.Description = description;
        return default;
    }

    public ValueTask SetDescriptionsAsync(OAuthScope scope, ImmutableDictionary<CultureInfo, string> descriptions, CancellationToken cancellationToken)
    {
        scope.Descriptions = Keep(descriptions);
        return default;
    }

    public ValueTask SetDisplayNameAsync(OAuthScope scope, string? name, CancellationToken cancellationToken)
    {
        scope.DisplayName = name;
        return default;
    }

    public ValueTask SetDisplayNamesAsync(OAuthScope scope, ImmutableDictionary<CultureInfo, string> names, CancellationToken cancellationToken)
    {
        scope.DisplayNames = Keep(names);
        return default;
    }

    public ValueTask SetNameAsync(OAuthScope scope, string? name, CancellationToken cancellationToken)
    {
        scope.Name = name;
        return default;
    }

    public ValueTask SetResourcesAsync(OAuthScope scope, ImmutableArray<string> resources, CancellationToken cancellationToken)
    {
        scope.Resources = Keep(resources);
        return default;
    }

    private protected override Predicate? Duplicate(OAuthScope entity) => string.IsNullOrEmpty(entity.Name) ? null : index.Name(entity.Name);
}
