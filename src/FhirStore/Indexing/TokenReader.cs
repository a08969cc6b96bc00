using System.Text.Json;

namespace FhirStore.Indexing;

/// <summary>Called for each code of an element.</summary>
internal interface ITokenVisitor
{
    /// <param name="system">Undefined where the code has none.</param>
    /// <param name="code">Undefined where only a system is given.</param>
    /// <returns><see langword="true"/> to stop.</returns>
    bool Visit(JsonElement system, JsonElement code);
}

/// <summary>The system and code of the types a token parameter may look at, https://hl7.org/fhir/R4/search.html#token.</summary>
internal static class TokenReader
{
    public static bool Visit<TVisitor>(JsonElement element, ElementShape shape, ref TVisitor visitor)
        where TVisitor : struct, ITokenVisitor, allows ref struct
    {
        switch (shape)
        {
            case ElementShape.CodeableConcept:
                if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("coding"u8, out var codings) && codings.ValueKind == JsonValueKind.Array)
                {
                    foreach (var coding in codings.EnumerateArray())
                    {
                        if (VisitPair(coding, "code"u8, hasSystem: true, ref visitor))
                        {
                            return true;
                        }
                    }
                }
                return false;
            case ElementShape.Coding:
                return VisitPair(element, "code"u8, hasSystem: true, ref visitor);
            case ElementShape.Identifier:
                return VisitPair(element, "value"u8, hasSystem: true, ref visitor);
            case ElementShape.ContactPoint:
                return VisitPair(element, "value"u8, hasSystem: false, ref visitor);
            default:
                return element.ValueKind is JsonValueKind.String or JsonValueKind.True or JsonValueKind.False && visitor.Visit(default, element);
        }
    }

    private static bool VisitPair<TVisitor>(JsonElement element, ReadOnlySpan<byte> codeName, bool hasSystem, ref TVisitor visitor)
        where TVisitor : struct, ITokenVisitor, allows ref struct
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            return false;
        }
        JsonElement system = default;
        if (hasSystem && (!element.TryGetProperty("system"u8, out system) || system.ValueKind != JsonValueKind.String))
        {
            system = default;
        }
        if (!element.TryGetProperty(codeName, out var code) || code.ValueKind != JsonValueKind.String)
        {
            code = default;
        }
        return (system.ValueKind == JsonValueKind.String || code.ValueKind == JsonValueKind.String) && visitor.Visit(system, code);
    }
}
