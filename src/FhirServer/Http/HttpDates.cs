using System.Globalization;

namespace FhirServer.Http;

/// <summary>Dates of HTTP headers (RFC 9110) and of FHIR parameters.</summary>
internal static class HttpDates
{
    private static readonly string[] FhirFormats =
    [
        "yyyy", "yyyy-MM", "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ssK",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    ];

    public static string Format(DateTimeOffset instant) => instant.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);

    public static bool TryParse(string text, out DateTimeOffset instant) =>
        DateTimeOffset.TryParseExact(text, "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out instant)
        || TryParseFhir(text, out instant);

    /// <summary>A date, dateTime or instant; without a zone it is UTC.</summary>
    public static bool TryParseFhir(string text, out DateTimeOffset instant) =>
        DateTimeOffset.TryParseExact(text.Replace(' ', '+'), FhirFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out instant);
}
