using System.Text.Json;
using FhirCore;

namespace Subscriptions.Reminders.People;

/// <summary>Looks into stored resources where they lie.</summary>
internal static class FhirJson
{
    extension(JsonElement element)
    {
        /// <returns>Null where it is missing, or no text.</returns>
        public string? TextOf(ReadOnlySpan<byte> name) =>
            element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

        public JsonElement? PartOf(ReadOnlySpan<byte> name) =>
            element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;

        /// <summary>The items of a list; none where it is missing.</summary>
        public JsonElement.ArrayEnumerator ItemsOf(ReadOnlySpan<byte> name) =>
            element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : default;

        /// <summary>The resource of this server that a Reference names.</summary>
        /// <param name="baseUrl">Ends in a slash; null takes relative references only.</param>
        public ResourceKey? Target(string? baseUrl)
        {
            if (element.TextOf("reference"u8) is not { } text)
            {
                return null;
            }
            text = baseUrl is not null && text.StartsWith(baseUrl, StringComparison.Ordinal) ? text[baseUrl.Length..] : text;
            var history = text.IndexOf("/_history/", StringComparison.Ordinal);
            return ResourceKey.TryParse(history > 0 ? text[..history] : text, out var key) ? key : null;
        }

        /// <summary>The extensions of one url.</summary>
        public IEnumerable<JsonElement> Extensions(string url)
        {
            foreach (var extension in element.ItemsOf("extension"u8))
            {
                if (extension.TextOf("url"u8) == url)
                {
                    yield return extension;
                }
            }
        }

        /// <summary>http://hl7.org/fhir/StructureDefinition/timezone</summary>
        public string? TimeZone() => element.Extensions("http://hl7.org/fhir/StructureDefinition/timezone").Select(extension => extension.TextOf("valueCode"u8)).FirstOrDefault(zone => zone is not null);

        /// <summary>Whether a Period, missing or not, holds an instant. Dates without a time are whole days, wherever they are meant.</summary>
        public bool IsDuring(DateTimeOffset now)
        {
            if (element.PartOf("period"u8) is not { } period)
            {
                return true;
            }
            var today = now.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
            return !(period.TextOf("start"u8) is { } start && Day(start, today) is var from && string.CompareOrdinal(from, today[..from.Length]) > 0)
                && !(period.TextOf("end"u8) is { } end && Day(end, today) is var to && string.CompareOrdinal(to, today[..to.Length]) < 0);
        }
    }

    /// <summary>A year, a month or a day, as precisely as it is known.</summary>
    private static string Day(string text, string today) => text.Length > today.Length ? text[..today.Length] : text;
}
