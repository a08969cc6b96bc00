using System.Globalization;
using FhirCore;

namespace FhirServer.Http;

/// <summary>Which formats are spoken: JSON, and where an operation has them other forms; the rest is refused by name, https://hl7.org/fhir/R4/http.html#mime-type.</summary>
internal static class Negotiation
{
    public const string FhirJson = "application/fhir+json; charset=utf-8";

    public static FhirFailure? CheckAccept(string? accept, string? format)
    {
        if (format is not null)
        {
            // '+' in a query is a space once decoded, and clients forget to escape it.
            return Judge(format.Replace(' ', '+')) switch
            {
                Verdict.Json => null,
                Verdict.Xml => NotAcceptable("XML is not offered yet: ask for application/fhir+json."),
                _ => NotAcceptable("_format names no format of this server: use json or application/fhir+json."),
            };
        }
        if (string.IsNullOrEmpty(accept) || accept is "application/fhir+json" or "*/*" or "application/json")
        {
            return null;
        }
        var xml = false;
        foreach (var part in accept.AsSpan().Split(','))
        {
            var range = accept.AsSpan(part);
            if (HasZeroQuality(range))
            {
                continue;
            }
            switch (Judge(range))
            {
                case Verdict.Json:
                    return null;
                case Verdict.Xml:
                    xml = true;
                    break;
                default:
                    break;
            }
        }
        return NotAcceptable(xml
            ? "XML is not offered yet: ask for application/fhir+json."
            : "Accept names no format of this server: ask for application/fhir+json with fhirVersion 4.0.");
    }

    /// <summary>Which form the answer is to have, of those that its route offers beside JSON.</summary>
    /// <returns>Null for JSON.</returns>
    public static Outcome<MediaType?> Choose(string? accept, string? format, IReadOnlyList<MediaType> offered)
    {
        var chosen = offered.Count == 0 ? null
            : format is not null ? offered.FirstOrDefault(media => IsFormat(media, format.Replace(' ', '+')))
            : string.IsNullOrEmpty(accept) ? null : Best(accept, offered);
        return chosen is not null ? chosen
            : CheckAccept(accept, format) is { } refused ? offered.Count == 0 ? refused : NotAcceptable($"This is offered as application/fhir+json, {string.Join(", ", offered.Select(media => media.Name))}: ask for one of them.")
            : (MediaType?)null;
    }

    private static bool IsFormat(MediaType media, string format) =>
        format.Equals(media.Short, StringComparison.OrdinalIgnoreCase) || TypeName(format).Equals(media.Name, StringComparison.OrdinalIgnoreCase);

    /// <summary>What the client likes best; of what it likes equally, what it names first. Where that is JSON, or anything, it is JSON.</summary>
    private static MediaType? Best(string accept, IReadOnlyList<MediaType> offered)
    {
        var (best, highest) = (default(MediaType), 0m);
        foreach (var part in accept.AsSpan().Split(','))
        {
            var range = accept.AsSpan(part);
            var quality = Parameter(range, "q");
            var weight = quality.IsEmpty ? 1 : decimal.TryParse(quality, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var given) ? given : 0;
            var name = TypeName(range);
            var media = default(MediaType);
            foreach (var one in offered)
            {
                media ??= name.Equals(one.Name, StringComparison.OrdinalIgnoreCase) ? one : null;
            }
            if (weight > highest && (media is not null || Judge(range) == Verdict.Json))
            {
                (best, highest) = (media, weight);
            }
        }
        return best;
    }

    public static FhirFailure? CheckContentType(string? contentType, string? contentEncoding)
    {
        if (!string.IsNullOrEmpty(contentEncoding) && !contentEncoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return Unsupported("Bodies are taken without Content-Encoding.");
        }
        if (contentType is "application/fhir+json" or "application/json")
        {
            return null;
        }
        if (string.IsNullOrEmpty(contentType))
        {
            return Unsupported("The body needs a Content-Type: application/fhir+json.");
        }
        return Judge(contentType) switch
        {
            Verdict.Json when HasOtherCharset(contentType) => Unsupported("JSON is taken as UTF-8 only."),
            Verdict.Json => null,
            Verdict.Xml => Unsupported("XML is not offered yet: send application/fhir+json."),
            _ => Unsupported("The body's Content-Type must be application/fhir+json."),
        };
    }

    public static bool IsForm(string? contentType) =>
        contentType is not null && TypeName(contentType).Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    private enum Verdict
    {
        Other,
        Json,
        Xml,
    }

    private static Verdict Judge(ReadOnlySpan<char> text)
    {
        var version = Parameter(text, "fhirVersion");
        if (!version.IsEmpty && version is not ("4.0" or "4.0.0" or "4.0.1"))
        {
            return Verdict.Other;
        }
        Span<char> lower = stackalloc char[40];
        var type = TypeName(text);
        if (type.Length > lower.Length)
        {
            return Verdict.Other;
        }
        return lower[..type.ToLowerInvariant(lower)] switch
        {
            "application/fhir+json" or "application/json" or "text/json" or "json" or "application/*" or "*/*" or "application/json+fhir" => Verdict.Json,
            "application/fhir+xml" or "application/xml" or "text/xml" or "xml" or "application/xml+fhir" => Verdict.Xml,
            _ => Verdict.Other,
        };
    }

    private static ReadOnlySpan<char> TypeName(ReadOnlySpan<char> text)
    {
        var semicolon = text.IndexOf(';');
        return (semicolon < 0 ? text : text[..semicolon]).Trim();
    }

    private static ReadOnlySpan<char> Parameter(ReadOnlySpan<char> text, ReadOnlySpan<char> name)
    {
        foreach (var range in text.Split(';'))
        {
            var part = text[range].Trim();
            if (part.Length > name.Length && part[name.Length] == '=' && part.StartsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                return part[(name.Length + 1)..].Trim('"');
            }
        }
        return [];
    }

    private static bool HasZeroQuality(ReadOnlySpan<char> text)
    {
        var quality = Parameter(text, "q");
        return !quality.IsEmpty && quality[0] == '0' && quality.IndexOfAnyExcept('0', '.') < 0;
    }

    private static bool HasOtherCharset(ReadOnlySpan<char> text)
    {
        var charset = Parameter(text, "charset");
        return !charset.IsEmpty && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase);
    }

    private static FhirFailure NotAcceptable(string why) => FhirFailure.Of(FailureKind.NotAcceptable, why);

    private static FhirFailure Unsupported(string why) => FhirFailure.Of(FailureKind.UnsupportedMediaType, why);
}
