using System.Text.Json.Serialization;

namespace Messages.Twilio;

/// <summary>A message as Twilio tells it, or the refusal of one (<see cref="Code"/>).</summary>
internal sealed record TwilioMessage
{
    public string? Sid { get; init; }

    public string? To { get; init; }

    public string? Body { get; init; }

    /// <summary>A text in a message, a number in a refusal, where it is the HTTP status.</summary>
    [JsonConverter(typeof(LooseText))]
    public string? Status { get; init; }

    public string? Direction { get; init; }

    [JsonPropertyName("error_code")]
    public int? ErrorCode { get; init; }

    /// <summary>RFC 2822.</summary>
    [JsonPropertyName("date_created")]
    public string? DateCreated { get; init; }

    public int? Code { get; init; }
}

internal sealed record TwilioPage
{
    public TwilioMessage[]? Messages { get; init; }

    [JsonPropertyName("next_page_uri")]
    public string? NextPageUri { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(TwilioMessage))]
[JsonSerializable(typeof(TwilioPage))]
internal sealed partial class TwilioJson : JsonSerializerContext;

internal sealed class LooseText : JsonConverter<string>
{
    public override string? Read(ref System.Text.Json.Utf8JsonReader reader, Type typeToConvert, System.Text.Json.JsonSerializerOptions options) =>
        reader.TokenType == System.Text.Json.JsonTokenType.Number ? reader.GetDouble().ToString(System.Globalization.CultureInfo.InvariantCulture) : reader.GetString();

    public override void Write(System.Text.Json.Utf8JsonWriter writer, string value, System.Text.Json.JsonSerializerOptions options) => writer.WriteStringValue(value);
}
