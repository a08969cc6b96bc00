namespace FhirStore.Model;

/// <summary>A type of R4: a resource, a complex data type, a backbone element or a primitive.</summary>
public sealed class TypeModel
{
    /// <summary><c>Patient</c>, <c>HumanName</c>, <c>Patient.contact</c>, <c>dateTime</c>.</summary>
    public string Name => throw new NotImplementedException();

    public bool IsResource => throw new NotImplementedException();

    public bool IsPrimitive => throw new NotImplementedException();

    /// <summary>Elements by JSON name; a choice stands once for each type it may have (<c>valueQuantity</c>, <c>valueString</c>…).</summary>
    public IReadOnlyList<ElementModel> Elements => throw new NotImplementedException();

    /// <returns>Null where the type has no such element.</returns>
    public ElementModel? Element(string jsonName) => throw new NotImplementedException();

    public ElementModel? Element(ReadOnlySpan<byte> utf8JsonName) => throw new NotImplementedException();

    /// <summary>All JSON elements of a choice or plain element by its FHIRPath name: <c>value</c> gives valueQuantity, valueString…; <c>name</c> gives itself.</summary>
    public IReadOnlyList<ElementModel> ByPathName(string pathName) => throw new NotImplementedException();
}

/// <summary>One JSON property that a type may have.</summary>
public sealed class ElementModel
{
    /// <summary><c>valueQuantity</c>.</summary>
    public string JsonName => throw new NotImplementedException();

    /// <summary><c>value</c> for a choice, else the JSON name.</summary>
    public string PathName => throw new NotImplementedException();

    public bool IsChoice => throw new NotImplementedException();

    public bool IsList => throw new NotImplementedException();

    /// <summary>0 or 1. Of a choice: of the choice as a whole.</summary>
    public int Min => throw new NotImplementedException();

    /// <summary>Null where the element holds any resource (<c>contained</c>, <c>Bundle.entry.resource</c>).</summary>
    public TypeModel? Type => throw new NotImplementedException();

    /// <summary>Codes of a required binding to a fixed enumeration; empty where there is none.</summary>
    public IReadOnlySet<string> RequiredCodes => throw new NotImplementedException();

    /// <summary>Resource types a Reference may point at; empty allows any.</summary>
    public IReadOnlyList<string> ReferenceTargets => throw new NotImplementedException();
}
