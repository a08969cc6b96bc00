using System.Text.Json;

namespace FhirStore.Indexing;

/// <summary>Called for each string of an element.</summary>
internal interface IStringVisitor
{
    /// <returns><see langword="true"/> to stop.</returns>
    bool Visit(string text);
}

/// <summary>The strings a string parameter sees: of names and addresses, their parts (https://hl7.org/fhir/R4/search.html#string).</summary>
internal static class TextParts
{
    private static readonly byte[][] NameParts = ["family"u8.ToArray(), "given"u8.ToArray(), "prefix"u8.ToArray(), "suffix"u8.ToArray(), "text"u8.ToArray()];

    private static readonly byte[][] AddressParts =
        ["line"u8.ToArray(), "city"u8.ToArray(), "district"u8.ToArray(), "state"u8.ToArray(), "postalCode"u8.ToArray(), "country"u8.ToArray(), "text"u8.ToArray()];

    private static readonly byte[][] ConceptParts = ["text"u8.ToArray()];

    public static bool Visit<TVisitor>(JsonElement element, ElementShape shape, ref TVisitor visitor)
        where TVisitor : struct, IStringVisitor, allows ref struct => shape switch
        {
            ElementShape.HumanName => VisitParts(element, NameParts, ref visitor),
            ElementShape.Address => VisitParts(element, AddressParts, ref visitor),
            ElementShape.CodeableConcept => VisitParts(element, ConceptParts, ref visitor),
            _ => element.ValueKind == JsonValueKind.String && visitor.Visit(element.GetString()!),
        };

    private static bool VisitParts<TVisitor>(JsonElement element, byte[][] parts, ref TVisitor visitor)
        where TVisitor : struct, IStringVisitor, allows ref struct
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return false;
        }
        foreach (var name in parts)
        {
            if (!element.TryGetProperty(name, out var part))
            {
                continue;
            }
            if (part.ValueKind == JsonValueKind.String)
            {
                if (visitor.Visit(part.GetString()!))
                {
                    return true;
                }
            }
            else if (part.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in part.EnumerateArray())
                {
                    if (item.ValueKind == JsonValueKind.String && visitor.Visit(item.GetString()!))
                    {
                        return true;
                    }
                }
            }
        }
        return false;
    }
}
