namespace FhirStore.Indexing;

/// <summary>How the JSON of an element is read when a search parameter looks at it.</summary>
internal enum ElementShape
{
    /// <summary>A complex element whose own parts are looked at (the root of a composite).</summary>
    Node,
    Boolean,
    /// <summary>code, id, string, markdown and the like: text without a system.</summary>
    Text,
    Uri,
    Canonical,
    Identifier,
    Coding,
    CodeableConcept,
    ContactPoint,
    HumanName,
    Address,
    Date,
    Period,
    Timing,
    Number,
    Range,
    Quantity,
    Money,
    Reference,
    /// <summary>A whole resource in place of a reference to it (<c>Bundle.entry.resource</c>).</summary>
    Resource,
}

internal static class ElementShapes
{
    public static ElementShape Of(string typeName) => typeName switch
    {
        "boolean" => ElementShape.Boolean,
        "uri" or "url" or "oid" or "uuid" => ElementShape.Uri,
        "canonical" => ElementShape.Canonical,
        "Identifier" => ElementShape.Identifier,
        "Coding" => ElementShape.Coding,
        "CodeableConcept" => ElementShape.CodeableConcept,
        "ContactPoint" => ElementShape.ContactPoint,
        "HumanName" => ElementShape.HumanName,
        "Address" => ElementShape.Address,
        "date" or "dateTime" or "instant" => ElementShape.Date,
        "Period" => ElementShape.Period,
        "Timing" => ElementShape.Timing,
        "decimal" or "integer" or "positiveInt" or "unsignedInt" => ElementShape.Number,
        "Range" => ElementShape.Range,
        "Quantity" or "Age" or "Duration" or "Count" or "Distance" or "SimpleQuantity" or "MoneyQuantity" => ElementShape.Quantity,
        "Money" => ElementShape.Money,
        "Reference" => ElementShape.Reference,
        "code" or "id" or "string" or "markdown" or "base64Binary" or "time" or "xhtml" => ElementShape.Text,
        _ => ElementShape.Node,
    };

    /// <returns>Whether values of this shape mean something to a parameter of this kind; a choice may hold types that do not.</returns>
    public static bool Serves(this ElementShape shape, SearchKind kind) => kind switch
    {
        SearchKind.Token => shape is ElementShape.Boolean or ElementShape.Text or ElementShape.Uri or ElementShape.Canonical or ElementShape.Identifier
            or ElementShape.Coding or ElementShape.CodeableConcept or ElementShape.ContactPoint,
        SearchKind.String => shape is ElementShape.Text or ElementShape.HumanName or ElementShape.Address or ElementShape.Uri or ElementShape.CodeableConcept,
        SearchKind.Date => shape is ElementShape.Date or ElementShape.Period or ElementShape.Timing,
        SearchKind.Number => shape is ElementShape.Number or ElementShape.Range,
        SearchKind.Quantity => shape is ElementShape.Quantity or ElementShape.Money or ElementShape.Range or ElementShape.Number,
        SearchKind.Uri => shape is ElementShape.Uri or ElementShape.Canonical or ElementShape.Text,
        SearchKind.Reference => shape is ElementShape.Reference or ElementShape.Canonical or ElementShape.Uri or ElementShape.Resource,
        SearchKind.Composite => true,
        _ => false,
    };
}
