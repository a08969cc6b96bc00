using System.Text.Json;
using FhirCore;
using FhirStore.Indexing;

namespace FhirStore.Search;

/// <summary>Where the reference parameters of a resource lead, without asking the store.</summary>
public static class ResourceReferences
{
    /// <summary>Whether the type has a reference parameter of that name.</summary>
    public static bool Has(string type, string parameter) => SearchParameterCatalog.For(type).Find(parameter) is { Kind: SearchKind.Reference, Paths.IsEmpty: false };

    /// <param name="target">Only resources of this type; null for any.</param>
    /// <param name="baseUrl">Ends with a slash; absolute references below it are the server's own.</param>
    /// <returns>Resources of this server, in the order they are named, without repeats.</returns>
    public static IReadOnlyList<ResourceKey> Of(string type, string parameter, string? target, JsonElement resource, string? baseUrl)
    {
        if (SearchParameterCatalog.For(type).Find(parameter) is not { Kind: SearchKind.Reference } reference)
        {
            return [];
        }
        var visitor = new KeyVisitor(target, baseUrl, []);
        reference.Visit(resource, ref visitor);
        return visitor.Keys;
    }

    internal readonly struct KeyVisitor(string? type, string? baseUrl, List<ResourceKey> keys) : IElementVisitor
    {
        public List<ResourceKey> Keys => keys;

        public bool Visit(JsonElement element, ElementShape shape)
        {
            if (ReferenceText.TryLocal(ReferenceText.Of(element, shape), baseUrl, out var key) && (type is null || key.Type == type) && !keys.Contains(key))
            {
                keys.Add(key);
            }
            return false;
        }
    }
}
