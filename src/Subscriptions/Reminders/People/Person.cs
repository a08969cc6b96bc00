using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirStore;

namespace Subscriptions.Reminders.People;

/// <summary>A Patient or Practitioner as far as messages care.</summary>
/// <param name="Reachable">False for who has died or is no longer in use: nothing is sent to them.</param>
/// <param name="Language">BCP 47; null where they have not said.</param>
/// <param name="TimeZone">Of the person; null where nobody has said.</param>
/// <param name="Given">First given name.</param>
/// <param name="Numbers">Phone numbers in E.164, the one to use first.</param>
internal sealed record Person(
    ResourceKey Key, bool Reachable, string? Language, string? TimeZone, string? Given, ImmutableArray<string> Numbers, ImmutableArray<string> Emails, Preferences? Preferences)
{
    /// <summary>On Practitioner and PractitionerRole: code <c>notices</c>, <c>no-notices</c>, <c>digest</c>; several.</summary>
    public const string StaffMessagesUrl = "urn:fhir-server:staff-messages";

    /// <summary>What a practitioner asks for.</summary>
    public ImmutableArray<string> Asks { get; init; } = [];

    /// <param name="resource">Null and deletions: nobody who could be reached.</param>
    public static Person Of(ResourceKey key, StoredResource? resource, PhoneReader phones, DateTimeOffset now) =>
        resource is { Deleted: false } ? Of(key, JsonElement.Parse(resource.Json.Span), phones, now) : Nobody(key);

    public static Person Nobody(ResourceKey key) => new(key, false, null, null, null, [], [], null);

    public static Person Of(ResourceKey key, JsonElement root, PhoneReader phones, DateTimeOffset now)
    {
        var isDead = root.PartOf("deceasedBoolean"u8) is { ValueKind: JsonValueKind.True } || root.PartOf("deceasedDateTime"u8) is not null;
        var isActive = root.PartOf("active"u8) is not { ValueKind: JsonValueKind.False };
        return new(
            key, !isDead && isActive, LanguageOf(root), root.TimeZone(), GivenOf(root),
            Contacts.Numbers(root, phones, now), Contacts.Emails(root, now), People.Preferences.Of(root))
        {
            Asks = [.. root.Extensions(StaffMessagesUrl).Select(extension => extension.TextOf("valueCode"u8)).OfType<string>()],
        };
    }

    /// <summary>The preferred language, else the only one. A Practitioner's languages are plain concepts.</summary>
    private static string? LanguageOf(JsonElement root)
    {
        string? first = null;
        foreach (var communication in root.ItemsOf("communication"u8))
        {
            var concept = communication.PartOf("language"u8) ?? communication;
            if (concept.ItemsOf("coding"u8).Select(coding => coding.TextOf("code"u8)).FirstOrDefault(code => code is not null) is { } code)
            {
                if (communication.PartOf("preferred"u8) is { ValueKind: JsonValueKind.True })
                {
                    return code;
                }
                first ??= code;
            }
        }
        return first;
    }

    private static string? GivenOf(JsonElement root)
    {
        string? first = null;
        foreach (var name in root.ItemsOf("name"u8))
        {
            if (name.ItemsOf("given"u8).FirstOrDefault() is { ValueKind: JsonValueKind.String } given)
            {
                if (name.TextOf("use"u8) is "usual" or "official")
                {
                    return given.GetString();
                }
                first ??= given.GetString();
            }
        }
        return first;
    }
}
