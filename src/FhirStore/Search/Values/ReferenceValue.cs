using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore.Indexing;
using FhirStore.Model;

namespace FhirStore.Search.Values;

/// <summary>A literal reference: <c>Type/id</c>, an absolute url or a canonical (https://hl7.org/fhir/R4/search.html#reference).</summary>
/// <param name="wanted">Without version and without the server's own base.</param>
/// <param name="canonicalVersion">Of a canonical, where the search names one.</param>
internal sealed class ReferenceValue(string wanted, string? canonicalVersion, string? baseUrl) : SearchValue
{
    public string Wanted => wanted;

    public override bool LeadsOnlyTo(string type) => wanted.StartsWith(type + "/", StringComparison.Ordinal);

    public override bool Matches(JsonElement element, ElementShape shape)
    {
        if (ReferenceText.Of(element, shape) is not { } text)
        {
            return false;
        }
        if (shape is not ElementShape.Canonical)
        {
            return ReferenceText.Normalize(text, baseUrl) == wanted;
        }
        return canonicalVersion is null ? ReferenceText.WithoutCanonicalVersion(text) == wanted : text == $"{wanted}|{canonicalVersion}";
    }

    public override Cover Cover(ParameterIndex index) => index switch
    {
        ReferenceIndex references => new(references.Find(wanted), canonicalVersion is null),
        SlotScheduleIndex slots => new(slots.Find(wanted), true),
        _ => Indexing.Cover.Unknown,
    };
}

/// <summary>A logical id alone: a local resource of any type the parameter may refer to.</summary>
internal sealed class ReferenceIdValue(string id, ImmutableArray<string> targets, string? baseUrl) : SearchValue
{
    public string Id => id;

    public ImmutableArray<string> Targets => targets;

    public override bool LeadsOnlyTo(string type) => targets is [var only] && only == type;

    public override bool Matches(JsonElement element, ElementShape shape) =>
        shape is not ElementShape.Canonical && ReferenceText.TryLocal(ReferenceText.Of(element, shape), baseUrl, out var key) && key.Id == id
        && (targets.IsEmpty || targets.Contains(key.Type));

    public override Cover Cover(ParameterIndex index)
    {
        var types = targets.IsEmpty ? (IReadOnlyList<string>)R4Model.ResourceTypes : targets;
        return index switch
        {
            ReferenceIndex references => new(new Predicate.AnyOf([.. types.Select(t => references.Find($"{t}/{id}"))]), true),
            SlotScheduleIndex slots => new(slots.Find($"Schedule/{id}"), true),
            _ => Indexing.Cover.Unknown,
        };
    }
}

/// <summary><c>:identifier</c>: the identifier within the reference.</summary>
internal sealed class ReferenceIdentifierValue(TokenValue identifier) : SearchValue
{
    public TokenValue Identifier => identifier;

    public override bool Matches(JsonElement element, ElementShape shape) =>
        shape == ElementShape.Reference && element.ValueKind == JsonValueKind.Object && element.TryGetProperty("identifier"u8, out var found)
        && identifier.Matches(found, ElementShape.Identifier);

    public override Cover Cover(ParameterIndex index) =>
        index is ReferenceIndex references ? references.Identifier.Find(identifier.System, identifier.Code) : Indexing.Cover.Unknown;
}

/// <summary>One of the resources that the inner search of a chain found, or that a page holds.</summary>
internal sealed class ReferenceSetValue(IReadOnlySet<ResourceKey> keys, string? baseUrl) : SearchValue
{
    // Beyond this many, looking at each candidate costs less than asking for each reference.
    private const int MostLookups = 2_000;

    public override bool LeadsOnlyTo(string type) => keys.All(k => k.Type == type);

    public override bool Matches(JsonElement element, ElementShape shape) =>
        ReferenceText.TryLocal(ReferenceText.Of(element, shape), baseUrl, out var key) && keys.Contains(key);

    public override Cover Cover(ParameterIndex index)
    {
        if (keys.Count == 0)
        {
            return Indexing.Cover.Nothing;
        }
        if (keys.Count > MostLookups)
        {
            return Indexing.Cover.Unknown;
        }
        return index switch
        {
            ReferenceIndex references => new(new Predicate.AnyOf([.. keys.Select(k => references.Find(k.ToString()))]), true),
            SlotScheduleIndex slots => new(new Predicate.AnyOf([.. keys.Select(k => slots.Find(k.ToString()))]), true),
            _ => Indexing.Cover.Unknown,
        };
    }
}
