using System.Text;
using System.Text.Json;
using FhirStore.Indexing;

namespace FhirStore.Search.Values;

/// <summary><c>code</c>, <c>system|code</c>, <c>|code</c> or <c>system|</c>, https://hl7.org/fhir/R4/search.html#token. Case counts.</summary>
internal sealed class TokenValue(string? system, string? code) : SearchValue
{
    private readonly byte[]? _system = system is null ? null : Encoding.UTF8.GetBytes(system);
    private readonly byte[]? _code = code is null ? null : Encoding.UTF8.GetBytes(code);

    /// <summary>Null: any. Empty: none.</summary>
    public string? System { get; } = system;

    /// <summary>Null: any.</summary>
    public string? Code { get; } = code;

    public override bool Matches(JsonElement element, ElementShape shape)
    {
        var visitor = new Visitor(this);
        return TokenReader.Visit(element, shape, ref visitor);
    }

    public override Cover Cover(ParameterIndex index) => index switch
    {
        ICodeIndex codes => codes.Find(System, Code),
        _ => Indexing.Cover.Unknown,
    };

    private bool IsSystem(JsonElement system) =>
        _system is null || (system.ValueKind == JsonValueKind.String ? system.ValueEquals(_system) : _system.Length == 0);

    private bool IsCode(JsonElement code) => _code is null || code.ValueKind switch
    {
        JsonValueKind.String => code.ValueEquals(_code),
        JsonValueKind.True => _code.AsSpan().SequenceEqual("true"u8),
        JsonValueKind.False => _code.AsSpan().SequenceEqual("false"u8),
        _ => false,
    };

    private readonly struct Visitor(TokenValue value) : ITokenVisitor
    {
        public bool Visit(JsonElement system, JsonElement code) => value.IsCode(code) && value.IsSystem(system);
    }
}

/// <summary><c>:text</c>: the beginning of a text or display that goes with the code.</summary>
internal sealed class TokenTextValue(string text) : SearchValue
{
    private readonly string _folded = TextFolding.Fold(text);

    public override bool Matches(JsonElement element, ElementShape shape) => shape switch
    {
        ElementShape.CodeableConcept => Begins(element, "text"u8)
            || (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("coding"u8, out var codings) && codings.ValueKind == JsonValueKind.Array && codings.EnumerateArray().Any(c => Begins(c, "display"u8))),
        ElementShape.Coding => Begins(element, "display"u8),
        ElementShape.Identifier => element.ValueKind == JsonValueKind.Object && element.TryGetProperty("type"u8, out var type) && Begins(type, "text"u8),
        _ => false,
    };

    private bool Begins(JsonElement element, ReadOnlySpan<byte> name) =>
        JsonText.String(element, name) is { } text && TextFolding.Fold(text).StartsWith(_folded, StringComparison.Ordinal);
}

/// <summary><c>:of-type</c>: type system|type code|value of an Identifier.</summary>
internal sealed class IdentifierOfTypeValue(string system, string code, string value) : SearchValue
{
    private readonly TokenValue _type = new(system, code);

    public override bool Matches(JsonElement element, ElementShape shape) =>
        shape == ElementShape.Identifier && JsonText.String(element, "value"u8) == value
        && element.TryGetProperty("type"u8, out var type) && _type.Matches(type, ElementShape.CodeableConcept);

    public override Cover Cover(ParameterIndex index) => index is ICodeIndex codes ? codes.Find(null, value).Inexact : Indexing.Cover.Unknown;
}
