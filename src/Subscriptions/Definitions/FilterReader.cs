using System.Collections.Immutable;
using FhirCore;
using FhirStore.Access;
using FhirStore.Model;
using FhirStore.Search;
using Subscriptions.Topics;

namespace Subscriptions.Definitions;

/// <summary>
/// What narrows a subscription: R4's own criteria (<c>Appointment?status=booked</c>), or the filters that a topic allows
/// (https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-filter-criteria.html), all of which must hold. A filter that names a
/// type concerns resources of that type; one that names none concerns each type of the topic.
/// </summary>
public sealed class FilterReader(CriteriaCompiler criteria, RestrictionCompiler compartments)
{
    private const string PatientPrefix = "Patient/";
    private static readonly string[] Prefixes = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"];

    /// <summary><c>Type?search</c>, or a type alone.</summary>
    public Outcome<(string Type, TypeFilter Filter)> ReadCriteria(string text)
    {
        const string at = "Subscription.criteria";
        ArgumentNullException.ThrowIfNull(text);
        var question = text.IndexOf('?', StringComparison.Ordinal);
        var type = question < 0 ? text : text[..question];
        if (!R4Model.IsResourceType(type))
        {
            return Refuse("The criteria are the canonical url of a topic, or a search on a type of R4 such as Appointment?status=booked.", at, "value");
        }
        return criteria.Compile(type, question < 0 ? "" : text[(question + 1)..]).TryGet(out var filter, out var failure)
            ? (type, new TypeFilter(filter, [], NamedBy(type, filter)))
            : At(failure, at);
    }

    /// <param name="texts">Values of the extensions, in their order.</param>
    public Outcome<ImmutableDictionary<string, TypeFilter>> ReadFilters(Topic topic, IReadOnlyList<string?> texts)
    {
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentNullException.ThrowIfNull(texts);
        var drafts = topic.Types.ToDictionary(type => type, _ => new Draft(), StringComparer.Ordinal);
        for (var i = 0; i < texts.Count; i++)
        {
            var at = $"Subscription.criteria.extension[{i}]";
            if (texts[i] is not { Length: > 0 } text)
            {
                return Refuse("A filter is a text such as Appointment?patient=Patient/123.", at, "required");
            }
            if (Read(topic, text, drafts, at) is { } failure)
            {
                return failure;
            }
        }
        var filters = ImmutableDictionary.CreateBuilder<string, TypeFilter>(StringComparer.Ordinal);
        foreach (var (type, draft) in drafts)
        {
            if (!criteria.Compile(type, draft.Criteria).TryGet(out var filter, out var failure))
            {
                return At(failure, "Subscription.criteria.extension");
            }
            filters.Add(type, new(draft.Criteria.Count == 0 ? null : filter, draft.Compartments.ToImmutable(), draft.Patient is { } patient ? [patient] : NamedBy(type, filter)));
        }
        return filters.ToImmutable();
    }

    private FhirFailure? Read(Topic topic, string text, Dictionary<string, Draft> drafts, string at)
    {
        var question = text.IndexOf('?', StringComparison.Ordinal);
        var type = question > 0 ? text[..question] : null;
        if (type is not null && !drafts.ContainsKey(type))
        {
            return Refuse($"The topic tells of {string.Join(", ", drafts.Keys)}; the filter is on another type.", at, "value");
        }
        var parameters = QueryText.Parse(text.AsSpan(question + 1));
        if (parameters.IsEmpty)
        {
            return Refuse("The filter has no condition; write Type?parameter=value.", at, "value");
        }
        foreach (var (written, value) in parameters)
        {
            var colon = written.IndexOf(':', StringComparison.Ordinal);
            var (name, modifier) = colon < 0 ? (written, "") : (written[..colon], written[(colon + 1)..]);
            foreach (var one in type is null ? topic.Types : [type])
            {
                if (topic.FindFilter(one, name) is not { } filter)
                {
                    return Refuse($"The topic has no filter '{name}' for {one}; it has {Offered(topic, one)}.", at, "value");
                }
                if (Add(drafts[one], one, filter, modifier, value) is { } failure)
                {
                    return At(failure, at);
                }
            }
        }
        return null;
    }

    private FhirFailure? Add(Draft draft, string type, TopicFilter filter, string modifier, string value)
    {
        // Type:Patient on a reference only says what the value says already.
        if (modifier.Length > 0 && !filter.Modifiers.Contains(modifier) && !R4Model.IsResourceType(modifier))
        {
            return Refuse($"The filter '{filter.Name}' takes {(filter.Modifiers.IsEmpty ? "no modifier" : "the modifiers " + string.Join(", ", filter.Modifiers))}.", "", "not-supported");
        }
        if (filter.Parameter is not { } parameter)
        {
            var id = value.StartsWith(PatientPrefix, StringComparison.Ordinal) ? value[PatientPrefix.Length..] : value;
            if (!FhirIds.IsValid(id))
            {
                return Refuse($"The filter '{filter.Name}' takes one Patient, as Patient/123.", "", "value");
            }
            draft.Compartments.Add(compartments.Compile(type, new ResourceCondition.InCompartment(id)));
            draft.Patient = new("Patient", id);
            return null;
        }
        if (!filter.Comparators.IsEmpty && value.Length > 2 && Prefixes.FirstOrDefault(prefix => value.StartsWith(prefix, StringComparison.Ordinal)) is { } used && !filter.Comparators.Contains(used))
        {
            return Refuse($"The filter '{filter.Name}' takes the comparators {string.Join(", ", filter.Comparators)}.", "", "not-supported");
        }
        var written = modifier.Length == 0 ? parameter : $"{parameter}:{modifier}";
        draft.Criteria.Add(new(written, value));
        return criteria.Compile(type, [new(written, value)]).Failure;
    }

    private static string Offered(Topic topic, string type)
    {
        var names = topic.Filters.Where(filter => filter.Type is null || filter.Type == type).Select(filter => filter.Name).Order(StringComparer.Ordinal).ToArray();
        return names.Length == 0 ? "none" : string.Join(", ", names);
    }

    /// <returns>Of the conditions that resources can be looked up by, what the narrowest one takes.</returns>
    private static ImmutableArray<ResourceKey> NamedBy(string type, ResourceFilter filter)
    {
        var best = filter.Ids is { } ids ? [.. ids.Select(id => new ResourceKey(type, id))] : ImmutableArray<ResourceKey>.Empty;
        foreach (var wanted in filter.References())
        {
            var keys = wanted.Select(reference => ResourceKey.TryParse(reference, out var key) ? key : (ResourceKey?)null).ToImmutableArray();
            if (!keys.Contains(null) && (best.IsEmpty || keys.Length < best.Length))
            {
                best = [.. keys.OfType<ResourceKey>()];
            }
        }
        return best;
    }

    private static FhirFailure At(FhirFailure failure, string at) =>
        failure with { Kind = FailureKind.Unprocessable, Issues = [.. failure.Issues.Select(issue => issue with { Expression = at })] };

    private static FhirFailure Refuse(string why, string at, string code) => FhirFailure.Of(FailureKind.Unprocessable, why, at, code);

    private sealed class Draft
    {
        public List<KeyValuePair<string, string>> Criteria { get; } = [];

        public ImmutableArray<Restriction>.Builder Compartments { get; } = ImmutableArray.CreateBuilder<Restriction>();

        public ResourceKey? Patient { get; set; }
    }
}
