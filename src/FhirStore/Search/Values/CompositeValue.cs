using System.Collections.Immutable;
using System.Text.Json;
using FhirStore.Indexing;

namespace FhirStore.Search.Values;

/// <summary>Values of a composite's components, all met within one element (https://hl7.org/fhir/R4/search.html#combining).</summary>
internal sealed class CompositeValue(ImmutableArray<CompositePart> parts, ImmutableArray<SearchValue> values)
{
    public bool Matches(JsonElement resource, JsonElement element)
    {
        for (var i = 0; i < parts.Length; i++)
        {
            var visitor = new PartVisitor(values[i]);
            var met = false;
            foreach (var path in parts[i].Paths)
            {
                if (path.Visit(parts[i].FromResource ? resource : element, ref visitor))
                {
                    met = true;
                    break;
                }
            }
            if (!met)
            {
                return false;
            }
        }
        return true;
    }

    private readonly struct PartVisitor(SearchValue value) : IElementVisitor
    {
        public bool Visit(JsonElement element, ElementShape shape) => value.Matches(element, shape);
    }
}
