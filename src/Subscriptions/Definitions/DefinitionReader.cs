using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using FhirCore;
using Subscriptions.Json;
using Subscriptions.Topics;

namespace Subscriptions.Definitions;

/// <summary>From a Subscription resource to what is done for it, or why it is not: the checks of create and update, and the reading afterwards.</summary>
public sealed class DefinitionReader
{
    private const string IdentifierExtension = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Subscription.identifier";
    private const int MostFilters = 50;

    private readonly FilterReader _filters;
    private readonly ChannelReader _channels;

    public DefinitionReader(FilterReader filters, ChannelOffer offer, SubscriptionOptions options)
    {
        _filters = filters;
        _channels = new(offer, options);
    }

    public Outcome<SubscriptionDefinition> Read(ResourceKey key, JsonElement subscription, TopicSet topics)
    {
        ArgumentNullException.ThrowIfNull(topics);
        if (subscription.Items("modifierExtension").Any() || FindCrossVersion(subscription, "Subscription") is not null)
        {
            return Refuse("Extensions of other FHIR versions and modifier extensions are not understood here; use those of the Subscriptions R5 Backport.",
                FindCrossVersion(subscription, "Subscription") ?? "Subscription.modifierExtension", "not-supported");
        }
        if (subscription.Text("criteria") is not { } criteria || subscription.Member("channel") is not { } channel)
        {
            return Refuse("A Subscription has criteria and a channel.", "Subscription", "required");
        }
        if (!ReadWanted(subscription, topics).TryGet(out var wanted, out var failure) || !_channels.Read(channel, wanted.Topic is not null).TryGet(out var asked, out failure))
        {
            return failure;
        }
        return new SubscriptionDefinition
        {
            Key = key,
            Status = StatusOf(subscription.Text("status")),
            Criteria = criteria,
            Topic = wanted.Topic,
            Filters = wanted.Filters,
            Channel = asked.Kind,
            Endpoint = asked.Endpoint,
            Payload = asked.Payload,
            Content = asked.Content ?? (asked.Payload is null ? ContentLevel.Empty : ContentLevel.FullResource),
            Heartbeat = asked.Heartbeat,
            Timeout = asked.Timeout,
            MaxCount = asked.MaxCount,
            End = DateTimeOffset.TryParse(subscription.Text("end"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) ? end.ToUniversalTime() : null,
        };
    }

    /// <summary>What it wants to be told of, whatever way it is told.</summary>
    internal Outcome<WantedEvents> ReadWanted(JsonElement subscription, TopicSet topics)
    {
        var criteria = subscription.Text("criteria") ?? "";
        Topic? topic = null;
        if (IsCanonical(criteria) && (topic = topics.Find(criteria)) is null)
        {
            return Refuse($"There is no such topic here; there are {string.Join(", ", topics.Offered)}.", "Subscription.criteria", "not-supported");
        }
        return FiltersOf(subscription, criteria, topic).TryGet(out var filters, out var failure) ? new WantedEvents(topic, filters) : failure;
    }

    public static SubscriptionStatus StatusOf(string? code) => code switch
    {
        "active" => SubscriptionStatus.Active,
        "error" => SubscriptionStatus.Error,
        "off" => SubscriptionStatus.Off,
        _ => SubscriptionStatus.Requested,
    };

    public static string CodeOf(SubscriptionStatus status) => status switch
    {
        SubscriptionStatus.Requested => "requested",
        SubscriptionStatus.Active => "active",
        SubscriptionStatus.Error => "error",
        SubscriptionStatus.Off => "off",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Say here how the new status is written."),
    };

    private Outcome<ImmutableDictionary<string, TypeFilter>> FiltersOf(JsonElement subscription, string criteria, Topic? topic)
    {
        var texts = new List<string?>();
        foreach (var extension in subscription.Member("_criteria").Extensions())
        {
            if (extension.Text("url") != Backport.FilterCriteria)
            {
                return Refuse("The only extension of the criteria that is understood here is backport-filter-criteria.", $"Subscription.criteria.extension[{texts.Count}]", "not-supported");
            }
            texts.Add(extension.ValueText());
        }
        if (texts.Count > MostFilters)
        {
            return Refuse($"A Subscription may have {MostFilters} filters.", "Subscription.criteria.extension", "too-costly");
        }
        if (topic is not null)
        {
            return _filters.ReadFilters(topic, texts);
        }
        if (texts.Count > 0)
        {
            return Refuse("Filters narrow a topic: name one in Subscription.criteria, or write the conditions into the criteria themselves.", "Subscription.criteria.extension", "value");
        }
        return _filters.ReadCriteria(criteria).TryGet(out var read, out var failure) ? ImmutableDictionary<string, TypeFilter>.Empty.Add(read.Type, read.Filter) : failure;
    }

    /// <summary>R4's criteria begin with a type, a canonical with a scheme.</summary>
    internal static bool IsCanonical(string criteria)
    {
        var colon = criteria.IndexOfAny([':', '?', '/']);
        return colon > 0 && criteria[colon] == ':' && criteria.AsSpan(0, colon).IndexOfAnyExceptInRange('a', 'z') < 0;
    }

    /// <returns>Where an extension stands that tells of an element of another version of FHIR.</returns>
    private static string? FindCrossVersion(JsonElement element, string at)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    if (property.Name == "url" && at.EndsWith(']') && property.Value.ValueKind == JsonValueKind.String && IsCrossVersion(property.Value.GetString()!))
                    {
                        return at;
                    }
                    if (FindCrossVersion(property.Value, $"{at}.{property.Name.TrimStart('_')}") is { } found)
                    {
                        return found;
                    }
                }
                return null;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray())
                {
                    if (FindCrossVersion(item, $"{at}[{index++}]") is { } found)
                    {
                        return found;
                    }
                }
                return null;
            default:
                return null;
        }
    }

    private static bool IsCrossVersion(string url)
    {
        const string prefix = "http://hl7.org/fhir/";
        return url.StartsWith(prefix, StringComparison.Ordinal) && url.Length > prefix.Length && char.IsAsciiDigit(url[prefix.Length]) && url != IdentifierExtension;
    }

    private static FhirFailure Refuse(string why, string at, string code) => FhirFailure.Of(FailureKind.Unprocessable, why, at, code);
}

/// <param name="Topic">Null for R4's own criteria.</param>
/// <param name="Filters">By type of resource.</param>
internal sealed record WantedEvents(Topic? Topic, ImmutableDictionary<string, TypeFilter> Filters);
