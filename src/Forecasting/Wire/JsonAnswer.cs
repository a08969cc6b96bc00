using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirCore;

namespace Forecasting.Wire;

/// <summary>Writes the JSON of an answer.</summary>
internal static class JsonAnswer
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            write(json);
        }
        return bytes.WrittenMemory;
    }

    /// <summary>A Parameters resource, each item a parameter.</summary>
    public static ReadOnlyMemory<byte> Parameters<T>(IReadOnlyCollection<T> items, Action<Utf8JsonWriter, T> parameter) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("resourceType", "Parameters");
        if (items.Count > 0) // an empty array is no FHIR
        {
            json.WriteStartArray("parameter");
            foreach (var item in items)
            {
                parameter(json, item);
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    });

    /// <summary>A parameter that has parts.</summary>
    public static void Parts(this Utf8JsonWriter json, string name, Action parts)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartArray("part");
        parts();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <param name="type">Such as <c>valueCode</c>.</param>
    public static void Part(this Utf8JsonWriter json, string name, string type, string value)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString(type, value);
        json.WriteEndObject();
    }

    public static void Part(this Utf8JsonWriter json, string name, bool value)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteBoolean("valueBoolean", value);
        json.WriteEndObject();
    }

    public static void Part(this Utf8JsonWriter json, string name, int value)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteNumber("valueInteger", value);
        json.WriteEndObject();
    }

    public static void Part(this Utf8JsonWriter json, string name, double value, int digits)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteNumber("valueDecimal", Decimal(value, digits));
        json.WriteEndObject();
    }

    public static void Coding(this Utf8JsonWriter json, string name, string system, string code, string display)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartObject("valueCoding");
        json.WriteString("system", system);
        json.WriteString("code", code);
        json.WriteString("display", display);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void Period(this Utf8JsonWriter json, string name, string start, string end)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartObject("valuePeriod");
        json.WriteString("start", start);
        json.WriteString("end", end);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static void Reference(this Utf8JsonWriter json, string name, ResourceKey? key, string? display)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartObject("valueReference");
        Reference(json, key, display);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Content of a Reference.</summary>
    public static void Reference(Utf8JsonWriter json, ResourceKey? key, string? display)
    {
        if (key is { } named)
        {
            json.WriteString("reference", named.ToString());
        }
        if (display is not null)
        {
            json.WriteString("display", display);
        }
    }

    public static decimal Decimal(double value, int digits) => Math.Round((decimal)Math.Clamp(value, -1e15, 1e15), digits);

    public static string Date(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
