using System.Text.Json;
using FhirStore.Indexing;

namespace FhirStore.Search.Values;

/// <summary>One value of a search parameter, as its type and modifier read it.</summary>
internal abstract class SearchValue
{
    /// <summary>The meaning of the value, by R4's text; knows nothing of an index.</summary>
    public abstract bool Matches(JsonElement element, ElementShape shape);

    /// <summary>Where the matches are to be looked for.</summary>
    public virtual Cover Cover(ParameterIndex index) => Indexing.Cover.Unknown;

    /// <summary>Whether all that the value matches are references to this type of resource.</summary>
    public virtual bool LeadsOnlyTo(string type) => false;
}
