using System.Text;
using System.Text.Json;
using FhirStore.Model;

namespace FhirStore.Indexing;

/// <summary>Called for each element that a path leads to.</summary>
internal interface IElementVisitor
{
    /// <returns><see langword="true"/> to stop.</returns>
    bool Visit(JsonElement element, ElementShape shape);
}

/// <summary>One step of a path: a property, and what its values must be to be followed.</summary>
internal sealed class PathStep
{
    private readonly byte[] _name;
    private readonly byte[] _wherePart;
    private readonly byte[] _whereText;

    public PathStep(string name, int index = -1, string? wherePart = null, string? whereText = null, string? resolvesTo = null)
    {
        Name = name;
        Index = index;
        WherePart = wherePart;
        WhereText = whereText;
        ResolvesTo = resolvesTo;
        _name = Encoding.UTF8.GetBytes(name);
        _wherePart = Encoding.UTF8.GetBytes(wherePart ?? "");
        _whereText = Encoding.UTF8.GetBytes(whereText ?? "");
    }

    public string Name { get; }

    /// <summary>Only the item at this place; -1 takes all.</summary>
    public int Index { get; }

    /// <summary>Only objects whose property of this name has the text <see cref="WhereText"/>.</summary>
    public string? WherePart { get; }

    public string? WhereText { get; }

    /// <summary>Only references to this resource type.</summary>
    public string? ResolvesTo { get; }

    public bool HasFilter => WherePart is not null || ResolvesTo is not null || Index >= 0;

    /// <summary>The step in the words of its expression; equal texts are equal steps.</summary>
    public override string ToString() =>
        Name + (Index >= 0 ? $"[{Index}]" : "") + (WherePart is null ? "" : $".where({WherePart}='{WhereText}')") + (ResolvesTo is null ? "" : $".where(resolve() is {ResolvesTo})");

    public PathStep At(int index) => new(Name, index, WherePart, WhereText, ResolvesTo);

    public PathStep Where(string part, string text) => new(Name, Index, part, text, ResolvesTo);

    public PathStep To(string type) => new(Name, Index, WherePart, WhereText, type);

    public bool TryFollow(JsonElement node, out JsonElement child) => node.TryGetProperty(_name, out child);

    public bool Passes(JsonElement value) =>
        (WherePart is null || (value.ValueKind == JsonValueKind.Object && value.TryGetProperty(_wherePart, out var part) && part.ValueKind == JsonValueKind.String && part.ValueEquals(_whereText)))
        && (ResolvesTo is null || ReferenceText.TypeOf(value) == ResolvesTo);
}

/// <summary>A search expression's branch made ready to run over JSON: the steps from the resource to the elements, and what they are.</summary>
internal sealed class ElementPath(IReadOnlyList<PathStep> steps, string typeName, ElementShape shape, CodeSet? codes)
{
    private readonly PathStep[] _steps = [.. steps];

    public IReadOnlyList<PathStep> Steps => _steps;

    /// <summary>The path in JSON names, filters included.</summary>
    public string Text { get; } = string.Join('.', steps);

    /// <summary>The path without its filters: whatever the path finds, this finds too.</summary>
    public string UnfilteredText { get; } = string.Join('.', steps.Select(s => s.Name));

    /// <summary>R4's type of the elements, such as <c>HumanName</c>.</summary>
    public string TypeName { get; } = typeName;

    public ElementShape Shape { get; } = shape;

    /// <summary>The elements are codes of a required binding to a fixed list: there are few different ones.</summary>
    public bool HasFixedCodes => Codes is not null;

    /// <summary>The list they are of; null where they are no such codes.</summary>
    public CodeSet? Codes { get; } = codes;

    public bool HasFilter => Array.Exists(_steps, s => s.HasFilter);

    public bool Visit<TVisitor>(JsonElement root, ref TVisitor visitor)
        where TVisitor : struct, IElementVisitor, allows ref struct => Walk(root, 0, ref visitor);

    private bool Walk<TVisitor>(JsonElement node, int at, ref TVisitor visitor)
        where TVisitor : struct, IElementVisitor, allows ref struct
    {
        if (at == _steps.Length)
        {
            return visitor.Visit(node, Shape);
        }
        var step = _steps[at];
        if (node.ValueKind != JsonValueKind.Object || !step.TryFollow(node, out var child))
        {
            return false;
        }
        if (child.ValueKind != JsonValueKind.Array)
        {
            return step.Index <= 0 && child.ValueKind != JsonValueKind.Null && step.Passes(child) && Walk(child, at + 1, ref visitor);
        }
        var index = 0;
        foreach (var item in child.EnumerateArray())
        {
            if ((step.Index < 0 || step.Index == index) && item.ValueKind != JsonValueKind.Null && step.Passes(item) && Walk(item, at + 1, ref visitor))
            {
                return true;
            }
            index++;
        }
        return false;
    }
}
