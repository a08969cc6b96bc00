using System.Globalization;
using FhirCore;

namespace FhirServer.Http;

/// <summary>Weak ETags that hold a version, https://hl7.org/fhir/R4/http.html#concurrency.</summary>
internal static class ETags
{
    private static readonly string[] Small = [.. Enumerable.Range(0, 64).Select(Make)];

    public static string Of(long version) => version is >= 0 and < 64 ? Small[version] : Make(version);

    /// <summary>If-Match of a write.</summary>
    /// <returns>Null where the header is absent.</returns>
    public static Outcome<long?> ParseIfMatch(string? header)
    {
        if (string.IsNullOrWhiteSpace(header))
        {
            return (long?)null;
        }
        if (TryParse(header, out var version))
        {
            return version;
        }
        return FhirFailure.Of(FailureKind.Invalid, "If-Match takes one ETag as this server gives it, such as W/\"3\".", code: "value");
    }

    /// <summary>If-None-Match of a read: a list of ETags, or <c>*</c>.</summary>
    public static bool Names(string? header, long version)
    {
        if (string.IsNullOrEmpty(header))
        {
            return false;
        }
        foreach (var part in header.AsSpan().Split(','))
        {
            var tag = header.AsSpan(part).Trim();
            if (tag is "*" || (TryParse(tag, out var named) && named == version))
            {
                return true;
            }
        }
        return false;
    }

    private static bool TryParse(ReadOnlySpan<char> text, out long version)
    {
        text = text.Trim();
        if (text.StartsWith("W/"))
        {
            text = text[2..];
        }
        if (text is ['"', .. var inner, '"'])
        {
            text = inner;
        }
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out version);
    }

    private static string Make(long version) => string.Create(CultureInfo.InvariantCulture, $"W/\"{version}\"");

    private static string Make(int version) => Make((long)version);
}
