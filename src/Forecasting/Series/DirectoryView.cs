using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Records;
using FhirStore;
using NodaTime;

namespace Forecasting.Series;

/// <summary>
/// Schedules, roles and places as one commit looks at them: each is read once, and the commit holds only where none of them has changed.
/// </summary>
internal sealed class DirectoryView(ResourceStore store, LoadOptions options)
{
    /// <summary>Houses in houses; a circle ends here.</summary>
    private const int DeepestPlace = 8;

    private readonly Dictionary<ResourceKey, (long Version, JsonElement? Root)> _read = [];

    /// <summary>That everything still stands as it was read.</summary>
    public IEnumerable<RecordCondition> Conditions =>
        _read.Where(read => read.Key.Type != "Slot").Select(read => (RecordCondition)new RecordCondition.VersionIs(read.Key, read.Value.Version));

    /// <summary>What was looked for and is not there.</summary>
    public IEnumerable<ResourceKey> Missing => _read.Where(read => read.Value.Root is null && read.Key.Type != "Slot").Select(read => read.Key);

    /// <returns>Null where there is none, or none any more.</returns>
    public async ValueTask<JsonElement?> ReadAsync(ResourceKey key, CancellationToken ct)
    {
        if (!_read.TryGetValue(key, out var read))
        {
            var stored = await store.ReadAsync(key, ct);
            read = (stored?.Version ?? 0, stored is { Deleted: false } ? JsonElement.Parse(stored.Json.Span) : null);
            _read[key] = read;
        }
        return read.Root;
    }

    /// <summary>The zone of a place: its own, else that of the place it is part of.</summary>
    public async ValueTask<DateTimeZone?> ZoneOfPlaceAsync(ResourceKey? place, CancellationToken ct)
    {
        for (var depth = 0; depth < DeepestPlace && place is { Type: "Location" } key; depth++)
        {
            if (await ReadAsync(key, ct) is not { } location)
            {
                return null;
            }
            if (DirectoryFacts.Zone(location) is { } zone)
            {
                return zone;
            }
            place = DirectoryFacts.PartOf(location, options.BaseUrl);
        }
        return null;
    }
}

/// <summary>What of a Schedule, PractitionerRole or Location decides where and when a visit counts. Where one of these changes, past visits count otherwise.</summary>
internal static class DirectoryFacts
{
    public const string TimeZoneUrl = "http://hl7.org/fhir/StructureDefinition/timezone";

    public static readonly ImmutableArray<string> Types = ["Schedule", "PractitionerRole", "Location"];

    public static DateTimeZone? Zone(JsonElement resource) =>
        resource.Extension(TimeZoneUrl)?.Text("valueCode") is { } name ? DateTimeZoneProviders.Tzdb.GetZoneOrNull(name) : null;

    public static ResourceKey? PartOf(JsonElement location, string baseUrl) => location.Of("partOf")?.Target(baseUrl);

    public static ResourceKey? Place(JsonElement schedule, string baseUrl) => Actors(schedule, "Location", baseUrl).FirstOrDefault() is { Type: not null } place ? place : null;

    public static IEnumerable<ResourceKey> Actors(JsonElement schedule, string type, string baseUrl) =>
        schedule.Items("actor").Select(actor => actor.Target(baseUrl)).Where(key => key?.Type == type).Select(key => key!.Value);

    /// <summary>All of it as one text, to tell whether it has changed.</summary>
    public static string Of(ResourceKey key, JsonElement? resource, string baseUrl) => resource is not { } root ? "" : key.Type switch
    {
        "Location" => $"{Zone(root)?.Id} {PartOf(root, baseUrl)}",
        "Schedule" => $"{Zone(root)?.Id} {Place(root, baseUrl)}",
        "PractitionerRole" => $"{root.Of("practitioner")?.Target(baseUrl)}",
        _ => "",
    };
}
