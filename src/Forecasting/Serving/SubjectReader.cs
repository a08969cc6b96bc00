using FhirCore;
using Forecasting.Series;
using NodaTime;
using NodaTime.Extensions;

namespace Forecasting.Serving;

/// <summary>From a Practitioner, Location, HealthcareService or Schedule to the visits that are its load.</summary>
internal sealed class SubjectReader(LoadDirectory directory, LoadOptions options, TimeProvider clock)
{
    public static readonly string[] Types = ["Practitioner", "Location", "HealthcareService", "Schedule"];

    public ValueTask<LoadSubject> ReadAsync(Entry entry, CancellationToken ct) => entry.Key.Type switch
    {
        "Practitioner" => PractitionerAsync(entry, ct),
        "Location" => LocationAsync(entry, ct),
        "HealthcareService" => ServiceAsync(entry, ct),
        "Schedule" => ScheduleAsync(entry, ct),
        _ => throw new ArgumentException($"{entry.Key.Type} has no load of its own.", nameof(entry)),
    };

    private async ValueTask<LoadSubject> PractitionerAsync(Entry practitioner, CancellationToken ct)
    {
        var roles = await directory.RolesAsync(practitioner.Key.Id, ct);
        var schedules = await directory.SchedulesAsync([practitioner.Key, .. roles.Select(role => role.Key)], ct);
        var zone = await ZoneAsync([.. schedules, .. roles], ct);
        return Make(practitioner, LoadFilter.Of(LoadPart.Practitioner, practitioner.Key.Id), zone, schedules, roles);
    }

    private async ValueTask<LoadSubject> LocationAsync(Entry location, CancellationToken ct)
    {
        var places = await directory.WithPartsAsync(location.Key.Id, ct);
        var schedules = await directory.SchedulesAsync(places.Select(place => new ResourceKey("Location", place)), ct);
        var zone = await ZoneAsync([location, .. schedules], ct);
        return Make(location, LoadFilter.Of(LoadPart.Location, places), zone, schedules, []);
    }

    /// <summary>Visits that name the service; and those of its type at its places that name none.</summary>
    private async ValueTask<LoadSubject> ServiceAsync(Entry service, CancellationToken ct)
    {
        var schedules = await directory.SchedulesAsync([service.Key], ct);
        var places = new HashSet<string>(StringComparer.Ordinal);
        foreach (var place in directory.Targets(service, "location"))
        {
            places.UnionWith(await directory.WithPartsAsync(place.Id, ct));
        }
        var types = service.Root.Codes("type").ToHashSet(StringComparer.Ordinal);
        var zone = await ZoneAsync([service, .. schedules], ct);
        var id = service.Key.Id;
        var filter = new LoadFilter([(LoadPart.Service, id), .. types.Select(type => (LoadPart.Type, type))], key => key.Service == id
            || (key.Service is null && key.Type is not null && types.Contains(key.Type) && (places.Count == 0 || (key.Location is not null && places.Contains(key.Location)))));
        return Make(service, filter, zone, schedules, [service]);
    }

    /// <summary>Visits to its practitioners (of one without any, at its places) that nothing says are another schedule's.</summary>
    private async ValueTask<LoadSubject> ScheduleAsync(Entry schedule, CancellationToken ct)
    {
        var (practitioners, places, services, roles) = (new HashSet<string>(), new HashSet<string>(), new HashSet<string>(), new List<Entry>());
        foreach (var actor in directory.Actors(schedule))
        {
            switch (actor.Type)
            {
                case "Practitioner":
                    practitioners.Add(actor.Id);
                    break;
                case "PractitionerRole" when await directory.ReadAsync(actor, ct) is { } role:
                    roles.Add(role);
                    if (directory.Target(role, "practitioner") is { Type: "Practitioner" } who)
                    {
                        practitioners.Add(who.Id);
                    }
                    break;
                case "Location":
                    places.UnionWith(await directory.WithPartsAsync(actor.Id, ct));
                    break;
                case "HealthcareService":
                    services.Add(actor.Id);
                    break;
            }
        }
        var types = schedule.Root.Codes("serviceType").ToHashSet(StringComparer.Ordinal);
        bool Fits(LoadKey key) =>
            (practitioners.Count == 0 || (key.Practitioner is not null && practitioners.Contains(key.Practitioner)))
            && (key.Location is null || places.Count == 0 || places.Contains(key.Location))
            && (key.Service is null || services.Count == 0 || services.Contains(key.Service))
            && (key.Type is null || !types.Any(type => IsOfSameSystem(type, key.Type)) || types.Contains(key.Type));
        var (part, values) = practitioners.Count > 0 ? (LoadPart.Practitioner, practitioners) : places.Count > 0 ? (LoadPart.Location, places) : (LoadPart.Service, services);
        return Make(schedule, LoadFilter.Of(part, values) with { Admits = Fits }, await ZoneAsync([schedule], ct), [schedule], roles);
    }

    private LoadSubject Make(Entry entry, LoadFilter filter, DateTimeZone zone, List<Entry> schedules, List<Entry> keepers)
    {
        var today = clock.GetUtcNow().ToInstant().InZone(zone).Date.ToDateOnly();
        return new(entry.Key, directory.TitleOf(entry), filter, zone, [.. schedules.Select(schedule => schedule.Key)], OpeningReader.Read(keepers, schedules, zone, today));
    }

    /// <summary>The first that is said: by one of them, or by a place that one of them names.</summary>
    private async ValueTask<DateTimeZone> ZoneAsync(IEnumerable<Entry> entries, CancellationToken ct)
    {
        foreach (var entry in entries)
        {
            if (DirectoryFacts.Zone(entry.Root) is { } own)
            {
                return own;
            }
            var places = entry.Key.Type switch
            {
                "Location" => directory.Target(entry, "partOf") is { } house ? [house] : [],
                "Schedule" => directory.Actors(entry).Where(actor => actor.Type == "Location"),
                _ => directory.Targets(entry, "location"),
            };
            foreach (var place in places)
            {
                if (await ZoneOfPlaceAsync(place, ct) is { } zone)
                {
                    return zone;
                }
            }
        }
        return options.TimeZone;
    }

    private async ValueTask<DateTimeZone?> ZoneOfPlaceAsync(ResourceKey place, CancellationToken ct)
    {
        const int deepest = 8;
        ResourceKey? at = place;
        for (var depth = 0; depth < deepest && at is { Type: "Location" } key && await directory.ReadAsync(key, ct) is { } location; depth++)
        {
            if (DirectoryFacts.Zone(location.Root) is { } zone)
            {
                return zone;
            }
            at = directory.Target(location, "partOf");
        }
        return null;
    }

    private static bool IsOfSameSystem(string one, string other) => one.AsSpan(0, one.LastIndexOf('|')).SequenceEqual(other.AsSpan(0, other.LastIndexOf('|')));
}
