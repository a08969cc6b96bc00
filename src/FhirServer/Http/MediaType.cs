namespace FhirServer.Http;

/// <summary>A form of an answer that is no FHIR resource.</summary>
/// <param name="Name">As <c>Accept</c> and <c>_format</c> name it.</param>
/// <param name="Short">As <c>_format</c> may name it, too.</param>
public sealed record MediaType(string Name, string Short)
{
    public static MediaType Csv { get; } = new("text/csv", "csv");

    public static MediaType Svg { get; } = new("image/svg+xml", "svg");

    /// <summary>All of ours are text.</summary>
    public string ContentType { get; } = $"{Name}; charset=utf-8";
}
