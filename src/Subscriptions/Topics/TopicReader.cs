using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirStore.Model;
using FhirStore.Search;
using Subscriptions.Json;

namespace Subscriptions.Topics;

/// <summary>
/// SubscriptionTopics as R4 has them: a <c>Basic</c> whose extensions are the elements of R5's resource
/// (https://build.fhir.org/ig/HL7/fhir-subscription-backport-ig/components.html). What cannot be kept is refused by name.
/// </summary>
public sealed class TopicReader(CriteriaCompiler criteria)
{
    private const string Code = "SubscriptionTopic";
    private const string CodeSystem = "http://hl7.org/fhir/fhir-types";
    private const string Element = "/StructureDefinition/extension-SubscriptionTopic.";
    private const string Artifact = "http://hl7.org/fhir/StructureDefinition/artifact-";
    private const string TypeDefinition = "http://hl7.org/fhir/StructureDefinition/";
    private const string ParameterDefinition = "http://hl7.org/fhir/SearchParameter/";
    private const string PatientCompartment = "http://hl7.org/fhir/CompartmentDefinition/patient";

    private static readonly string[] Read =
        ["url", "version", "name", "title", "status", "date", "description", "purpose", "publisher", "identifier", "resourceTrigger", "canFilterBy", "notificationShape"];

    /// <summary>Search of the topics among all Basic resources.</summary>
    public static KeyValuePair<string, string> SearchByCode { get; } = new("code", $"{CodeSystem}|{Code}");

    /// <summary>Whether a Basic is a SubscriptionTopic.</summary>
    public static bool IsTopic(JsonElement basic) =>
        basic.Member("code") is { } code && code.Items("coding").Any(coding => coding.Text("code") == Code && coding.Text("system") is CodeSystem or "http://hl7.org/fhir/resource-types" or null);

    /// <param name="isOwn">It came with the server: its expressions are known to be good.</param>
    public Outcome<Topic> Parse(JsonElement basic, bool isOwn = false)
    {
        var elements = new List<(string Name, JsonElement Value, string At)>();
        foreach (var list in (string[])["extension", "modifierExtension"])
        {
            var index = 0;
            foreach (var extension in basic.Items(list))
            {
                var at = $"Basic.{list}[{index++}]";
                if (NameOf(extension.Text("url")) is { } name)
                {
                    if (!Read.Contains(name))
                    {
                        return Refuse($"SubscriptionTopic.{name} is not offered here.", at, "not-supported");
                    }
                    elements.Add((name, extension, at));
                }
            }
        }
        if (elements.FirstOrDefault(e => e.Name == "url").Value is not { ValueKind: JsonValueKind.Object } named || named.ValueText() is not { } url || !IsCanonical(url))
        {
            return Refuse("A SubscriptionTopic has a canonical url, an absolute URI without '|': the extension SubscriptionTopic.url or artifact-url.", "Basic.extension", "required");
        }
        var triggers = ImmutableArray.CreateBuilder<TopicTrigger>();
        var filters = ImmutableArray.CreateBuilder<TopicFilter>();
        var includes = ImmutableArray.CreateBuilder<TopicInclude>();
        foreach (var (name, value, at) in elements)
        {
            var failure = name switch
            {
                "resourceTrigger" => Add(triggers, TriggerOf(value, at, isOwn)),
                "canFilterBy" => Add(filters, FilterOf(value, at)),
                "notificationShape" => AddIncludes(includes, value, at),
                _ => null,
            };
            if (failure is not null)
            {
                return failure;
            }
        }
        if (triggers.Count == 0)
        {
            return Refuse("A SubscriptionTopic needs a resourceTrigger; event triggers are not offered here.", "Basic.extension", "required");
        }
        var types = triggers.Select(trigger => trigger.Type).ToHashSet(StringComparer.Ordinal);
        foreach (var filter in filters)
        {
            if (CheckFilter(filter, types) is { } failure)
            {
                return failure;
            }
        }
        return new Topic
        {
            Url = url,
            Version = Text(elements, "version"),
            Title = Text(elements, "title"),
            IsActive = Text(elements, "status") == "active",
            Triggers = triggers.DrainToImmutable(),
            Filters = filters.DrainToImmutable(),
            Includes = includes.DrainToImmutable(),
        };
    }

    private Outcome<TopicTrigger> TriggerOf(JsonElement extension, string at, bool isOwn)
    {
        if (TypeOf(Part(extension, "resource")?.ValueText()) is not { } type)
        {
            return Refuse("A resourceTrigger names a resource type of R4 in its part 'resource'.", at, "value");
        }
        var interactions = ResourceInteraction.None;
        foreach (var code in Parts(extension, "supportedInteraction").Select(JsonView.ValueText))
        {
            switch (code)
            {
                case "create":
                    interactions |= ResourceInteraction.Create;
                    break;
                case "update":
                    interactions |= ResourceInteraction.Update;
                    break;
                case "delete":
                    interactions |= ResourceInteraction.Delete;
                    break;
                default:
                    return Refuse("supportedInteraction is create, update or delete.", at, "code-invalid");
            }
        }
        if (interactions == ResourceInteraction.None)
        {
            interactions = ResourceInteraction.Create | ResourceInteraction.Update | ResourceInteraction.Delete; // R5: absent means any
        }
        QueryTrigger? query = null;
        if (Part(extension, "queryCriteria") is { } tests && !QueryOf(type, tests, at).TryGet(out query, out var failure))
        {
            return failure;
        }
        FhirPathTrigger? path = null;
        if (Part(extension, "fhirPathCriteria")?.ValueText() is { } expression)
        {
            if (isOwn)
            {
                path = FhirPathTrigger.Own(expression);
            }
            else if (!FhirPathTrigger.Compile(expression, at).TryGet(out path, out failure))
            {
                return failure;
            }
        }
        return new TopicTrigger { Type = type, Interactions = interactions, Query = query, FhirPath = path };
    }

    private Outcome<QueryTrigger> QueryOf(string type, JsonElement tests, string at)
    {
        ResourceFilter? previous = null, current = null;
        FhirFailure? failure = null;
        if ((Part(tests, "previous")?.ValueText() is { } before && !Compile(type, before, at).TryGet(out previous, out failure))
            || (Part(tests, "current")?.ValueText() is { } after && !Compile(type, after, at).TryGet(out current, out failure)))
        {
            return failure!;
        }
        return previous is null && current is null
            ? Refuse("queryCriteria tests the previous state, the current one, or both.", at, "required")
            : new QueryTrigger(
                previous, Part(tests, "resultForCreate")?.ValueText() == "test-passes", current, Part(tests, "resultForDelete")?.ValueText() == "test-passes",
                Part(tests, "requireBoth")?.ValueOf()?.ValueKind == JsonValueKind.True);
    }

    /// <summary><c>status=booked</c>, also with the type before it: <c>Appointment?status=booked</c>.</summary>
    private Outcome<ResourceFilter> Compile(string type, string query, string at)
    {
        var question = query.IndexOf('?', StringComparison.Ordinal);
        if (question > 0 && query[..question] != type)
        {
            return Refuse($"The criteria are those of another type than the trigger's, which is {type}.", at, "value");
        }
        return criteria.Compile(type, query[(question + 1)..]).TryGet(out var filter, out var failure)
            ? filter
            : failure with { Kind = FailureKind.Unprocessable, Issues = [.. failure.Issues.Select(issue => issue with { Expression = at })] };
    }

    private static Outcome<TopicFilter> FilterOf(JsonElement extension, string at)
    {
        string? type = null;
        if (Part(extension, "resource")?.ValueText() is { } resource && (type = TypeOf(resource)) is null)
        {
            return Refuse("canFilterBy.resource is a resource type of R4.", at, "value");
        }
        if (Part(extension, "filterParameter")?.ValueText() is not { Length: > 0 } name)
        {
            return Refuse("canFilterBy names a filterParameter.", at, "required");
        }
        var definition = Part(extension, "filterDefinition")?.ValueText();
        var parameter = definition switch
        {
            null => name,
            PatientCompartment => null,
            _ when definition.StartsWith(ParameterDefinition, StringComparison.Ordinal) => CodeOf(definition[ParameterDefinition.Length..]),
            _ => "",
        };
        return parameter is ""
            ? Refuse("canFilterBy.filterDefinition is a search parameter of R4, or the compartment of a Patient.", at, "not-supported")
            : new TopicFilter(type, name, parameter, Codes(extension, "comparator"), Codes(extension, "modifier"));
    }

    /// <summary><c>Appointment-patient</c> → <c>patient</c>; <c>clinical-patient</c> too; <c>Resource-id</c> → <c>_id</c>.</summary>
    private static string CodeOf(string definition)
    {
        var dash = definition.IndexOf('-', StringComparison.Ordinal);
        var code = definition[(dash + 1)..];
        return definition.StartsWith("Resource-", StringComparison.Ordinal) ? "_" + code : code;
    }

    private static FhirFailure? CheckFilter(TopicFilter filter, HashSet<string> types)
    {
        if (filter.Type is not null && !types.Contains(filter.Type))
        {
            return Refuse($"canFilterBy: no trigger tells of {filter.Type}.", "Basic.extension", "value");
        }
        foreach (var type in filter.Type is { } only ? [only] : types)
        {
            if (filter.Parameter is { } parameter && SearchParameterInfo.Of(type).All(known => known.Name != parameter))
            {
                return Refuse($"canFilterBy: {type} has no search parameter '{parameter}'.", "Basic.extension", "value");
            }
        }
        return null;
    }

    private static FhirFailure? AddIncludes(ImmutableArray<TopicInclude>.Builder includes, JsonElement shape, string at)
    {
        if (TypeOf(Part(shape, "resource")?.ValueText()) is not { } type)
        {
            return Refuse("A notificationShape names a resource type of R4.", at, "value");
        }
        if (Parts(shape, "revInclude").Any())
        {
            return Refuse("revInclude is not offered here: include what the resource itself refers to.", at, "not-supported");
        }
        foreach (var include in Parts(shape, "include").Select(JsonView.ValueText))
        {
            var parts = include?.Split(':') ?? [];
            if (parts.Length is not (2 or 3) || parts[0] != type || !ResourceReferences.Has(type, parts[1]) || (parts.Length == 3 && !R4Model.IsResourceType(parts[2])))
            {
                return Refuse($"An include is written {type}:parameter or {type}:parameter:TargetType, and the parameter is a reference of {type}.", at, "value");
            }
            includes.Add(new(type, parts[1], parts.Length == 3 ? parts[2] : null));
        }
        return null;
    }

    private static FhirFailure? Add<T>(ImmutableArray<T>.Builder list, Outcome<T> read)
    {
        if (read.TryGet(out var item, out var failure))
        {
            list.Add(item);
        }
        return failure;
    }

    private static string? NameOf(string? url)
    {
        if (url is null)
        {
            return null;
        }
        if (url.StartsWith(Artifact, StringComparison.Ordinal))
        {
            return url[Artifact.Length..];
        }
        var element = url.IndexOf(Element, StringComparison.Ordinal);
        return element > 0 && url[..element] is "http://hl7.org/fhir/5.0" or "http://hl7.org/fhir/4.3" ? url[(element + Element.Length)..] : null;
    }

    private static string? Text(List<(string Name, JsonElement Value, string At)> elements, string name) =>
        elements.FirstOrDefault(e => e.Name == name).Value is { ValueKind: JsonValueKind.Object } found ? found.ValueText() : null;

    private static IEnumerable<JsonElement> Parts(JsonElement extension, string name) => extension.Items("extension").Where(part => part.Text("url") == name);

    private static JsonElement? Part(JsonElement extension, string name)
    {
        foreach (var part in Parts(extension, name))
        {
            return part;
        }
        return null;
    }

    private static ImmutableArray<string> Codes(JsonElement extension, string name) => [.. Parts(extension, name).Select(JsonView.ValueText).OfType<string>()];

    private static string? TypeOf(string? text)
    {
        var type = text is not null && text.StartsWith(TypeDefinition, StringComparison.Ordinal) ? text[TypeDefinition.Length..] : text;
        return type is not null && R4Model.IsResourceType(type) ? type : null;
    }

    private static bool IsCanonical(string url) => !url.Contains('|', StringComparison.Ordinal) && Uri.TryCreate(url, UriKind.Absolute, out _) && !url.Any(char.IsWhiteSpace);

    private static FhirFailure Refuse(string why, string at, string code) => FhirFailure.Of(FailureKind.Unprocessable, why, at, code);
}
