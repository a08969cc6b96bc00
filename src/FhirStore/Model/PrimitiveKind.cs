namespace FhirStore.Model;

/// <summary>R4's primitives, https://hl7.org/fhir/R4/datatypes.html#primitive; <see cref="None"/> for everything else.</summary>
internal enum PrimitiveKind : byte
{
    None,
    Base64Binary,
    Boolean,
    Canonical,
    Code,
    Date,
    DateTime,
    Decimal,
    Id,
    Instant,
    Integer,
    Markdown,
    Oid,
    PositiveInt,
    String,
    Time,
    UnsignedInt,
    Uri,
    Url,
    Uuid,
    Xhtml,
}
