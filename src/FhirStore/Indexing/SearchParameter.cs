using System.Collections.Immutable;
using System.Text.Json;

namespace FhirStore.Indexing;

/// <summary>A search parameter of one resource type, ready to run.</summary>
internal sealed class SearchParameter
{
    public required string ResourceType { get; init; }

    public required string Name { get; init; }

    public required SearchKind Kind { get; init; }

    /// <summary>Canonical url of the definition.</summary>
    public required string Url { get; init; }

    public string? Documentation { get; init; }

    /// <summary>Resource types a reference may lead to; empty where any.</summary>
    public ImmutableArray<string> Targets { get; init; } = [];

    /// <summary>Where the values are. Of a composite: the elements its components share.</summary>
    public required ImmutableArray<ElementPath> Paths { get; init; }

    /// <summary>The one type of resource that the references kept by the paths lead to; null where the paths keep all.</summary>
    public string? OnlyTarget => field ??= Paths.Length > 0 && Paths[0].Steps is [.., { ResolvesTo: { } type }] && Paths.All(p => p.Steps[^1].ResolvesTo == type) ? type : null;

    /// <summary>Empty unless the parameter is a composite.</summary>
    public ImmutableArray<CompositePart> Parts { get; init; } = [];

    /// <summary>The parameter's one value is whether any of its elements is there and not false (<c>Patient.deceased</c>).</summary>
    public bool IsPresenceFlag { get; init; }

    private static readonly JsonElement True = JsonElement.Parse("true"u8);
    private static readonly JsonElement False = JsonElement.Parse("false"u8);

    public bool Visit<TVisitor>(JsonElement resource, ref TVisitor visitor)
        where TVisitor : struct, IElementVisitor, allows ref struct
    {
        if (IsPresenceFlag)
        {
            return visitor.Visit(HasTrueElement(resource) ? True : False, ElementShape.Boolean);
        }
        foreach (var path in Paths)
        {
            if (path.Visit(resource, ref visitor))
            {
                return true;
            }
        }
        return false;
    }

    public bool HasAny(JsonElement resource)
    {
        var any = default(AnyVisitor);
        return Visit(resource, ref any);
    }

    private bool HasTrueElement(JsonElement resource)
    {
        var notFalse = default(NotFalseVisitor);
        foreach (var path in Paths)
        {
            if (path.Visit(resource, ref notFalse))
            {
                return true;
            }
        }
        return false;
    }

    private struct AnyVisitor : IElementVisitor
    {
        public readonly bool Visit(JsonElement element, ElementShape shape) => true;
    }

    private struct NotFalseVisitor : IElementVisitor
    {
        public readonly bool Visit(JsonElement element, ElementShape shape) => element.ValueKind != JsonValueKind.False;
    }
}

/// <summary>One component of a composite: paths from the composite's element, or from the resource.</summary>
internal sealed record CompositePart(SearchKind Kind, ImmutableArray<ElementPath> Paths, bool FromResource);
