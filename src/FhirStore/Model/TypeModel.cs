namespace FhirStore.Model;

/// <summary>A type of R4: a resource, a complex data type, a backbone element or a primitive.</summary>
public sealed class TypeModel
{
    private readonly Type _clrType;
    private readonly Lock _gate = new();
    private volatile TypeShape? _shape;

    internal TypeModel(string name, Type clrType, bool isResource, PrimitiveKind primitive)
    {
        Name = name;
        _clrType = clrType;
        IsResource = isResource;
        Primitive = primitive;
        Rule = name switch
        {
            "Extension" => InvariantRule.Extension,
            "Period" => InvariantRule.Period,
            "Reference" => InvariantRule.Reference,
            "Appointment" => InvariantRule.Appointment,
            "Appointment.participant" => InvariantRule.AppointmentParticipant,
            _ => InvariantRule.None,
        };
    }

    /// <summary><c>Patient</c>, <c>HumanName</c>, <c>Patient.contact</c>, <c>dateTime</c>.</summary>
    public string Name { get; }

    public bool IsResource { get; }

    public bool IsPrimitive => Primitive != PrimitiveKind.None;

    /// <summary>
    /// Elements by JSON name; a choice stands once for each type it may have (<c>valueQuantity</c>, <c>valueString</c>…).
    /// Of a primitive: <c>id</c> and <c>extension</c>, which live in the underscore property.
    /// </summary>
    public IReadOnlyList<ElementModel> Elements => Shape.Elements;

    internal PrimitiveKind Primitive { get; }

    internal InvariantRule Rule { get; }

    /// <summary>Bits of the slots (see <see cref="ElementModel.Slot"/>) that must be filled.</summary>
    internal ulong Mandatory => Shape.Mandatory;

    private TypeShape Shape => _shape ?? Build();

    /// <returns>Null where the type has no such element.</returns>
    public ElementModel? Element(string jsonName) => Shape.ByName.GetValueOrDefault(jsonName);

    public ElementModel? Element(ReadOnlySpan<byte> utf8JsonName) => Shape.ByUtf8Name.Find(utf8JsonName);

    /// <summary>All JSON elements of a choice or plain element by its FHIRPath name: <c>value</c> gives valueQuantity, valueString…; <c>name</c> gives itself. Empty where there is none.</summary>
    public IReadOnlyList<ElementModel> ByPathName(string pathName) => Shape.ByPathName.GetValueOrDefault(pathName) ?? [];

    public override string ToString() => Name;

    private TypeShape Build()
    {
        lock (_gate)
        {
            return _shape ??= new(SdkShape.ReadElements(_clrType, Name));
        }
    }
}
