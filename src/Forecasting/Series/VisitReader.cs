using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using NodaTime;
using NodaTime.Extensions;

namespace Forecasting.Series;

/// <summary>
/// From an Appointment to what it counts for. One with several practitioners is a visit to each of them; one that names several places,
/// services or types is of the first.
/// </summary>
internal sealed class VisitReader(LoadOptions options)
{
    /// <summary>Left by this server on what was a hold: nobody asked for more than a few minutes of that time.</summary>
    private const string HoldClientUrl = "urn:fhir-server:appointment-hold-client";

    private const int EarliestYear = 1900, LatestYear = 2200;

    /// <param name="made">When its first version was written; <c>created</c> goes before it.</param>
    public async ValueTask<ImmutableArray<Visit>> ReadAsync(JsonElement appointment, DateTimeOffset made, DirectoryView directory, CancellationToken ct)
    {
        if (StateOf(appointment) is not { } state || appointment.Instant("start") is not { } start || start.Year is < EarliestYear or > LatestYear)
        {
            return [];
        }
        var (practitioners, service, location) = await ActorsAsync(appointment, state, directory, ct);
        var zone = await directory.ZoneOfPlaceAsync(location, ct);
        if (location is null || zone is null)
        {
            var schedule = await ScheduleAsync(appointment, directory, ct);
            var place = schedule is { } of ? DirectoryFacts.Place(of, options.BaseUrl) : null;
            zone ??= (schedule is { } root ? DirectoryFacts.Zone(root) : null) ?? await directory.ZoneOfPlaceAsync(place, ct) ?? options.TimeZone;
            location ??= place;
        }
        var local = start.ToInstant().InZone(zone);
        var asked = MadeOf(appointment) ?? made;
        int? lead = asked <= start ? (int)(start - asked).TotalDays : null;
        var type = appointment.Codes("serviceType").FirstOrDefault();
        return
        [
            .. practitioners.DefaultIfEmpty(null).Select(practitioner =>
                new Visit(new(practitioner, service?.Id, type, location?.Id), local.Date.ToDateOnly(), local.Hour, state, lead)),
        ];
    }

    private static VisitState? StateOf(JsonElement appointment) => appointment.Text("status") switch
    {
        "pending" or "cancelled" when appointment.Extension(HoldClientUrl) is not null => null,
        "proposed" or "pending" or "waitlist" => VisitState.Waiting,
        "booked" => VisitState.Booked,
        "arrived" or "checked-in" or "fulfilled" => VisitState.Attended,
        "noshow" => VisitState.Missed,
        "cancelled" => VisitState.Cancelled,
        _ => null, // entered-in-error never was
    };

    /// <summary>Who still takes part. Of a cancelled appointment all have declined: there it says nothing.</summary>
    private async ValueTask<(List<string?> Practitioners, ResourceKey? Service, ResourceKey? Location)> ActorsAsync(
        JsonElement appointment, VisitState state, DirectoryView directory, CancellationToken ct)
    {
        var practitioners = new List<string?>(1);
        ResourceKey? service = null, location = null;
        foreach (var participant in appointment.Items("participant"))
        {
            if ((state != VisitState.Cancelled && participant.Text("status") == "declined") || participant.Of("actor")?.Target(options.BaseUrl) is not { } actor)
            {
                continue;
            }
            switch (actor.Type)
            {
                case "Practitioner":
                    Add(actor);
                    break;
                case "PractitionerRole" when await directory.ReadAsync(actor, ct) is { } role && role.Of("practitioner")?.Target(options.BaseUrl) is { Type: "Practitioner" } who:
                    Add(who);
                    break;
                case "HealthcareService":
                    service ??= actor;
                    break;
                case "Location":
                    location ??= actor;
                    break;
            }
        }
        return (practitioners, service, location);

        void Add(ResourceKey practitioner)
        {
            if (!practitioners.Contains(practitioner.Id))
            {
                practitioners.Add(practitioner.Id);
            }
        }
    }

    private async ValueTask<JsonElement?> ScheduleAsync(JsonElement appointment, DirectoryView directory, CancellationToken ct)
    {
        foreach (var reference in appointment.Items("slot"))
        {
            if (reference.Target(options.BaseUrl) is { Type: "Slot" } slot && await directory.ReadAsync(slot, ct) is { } found
                && found.Of("schedule")?.Target(options.BaseUrl) is { Type: "Schedule" } schedule)
            {
                return await directory.ReadAsync(schedule, ct);
            }
        }
        return null;
    }

    /// <summary>A date without a time is its first moment, in the zone of none: a day's error at most.</summary>
    public static DateTimeOffset? MadeOf(JsonElement appointment) =>
        appointment.Instant("created") ?? (appointment.Text("created") is { Length: 10 } day && DateOnly.TryParseExact(day, "yyyy-MM-dd", out var date) ? new DateTimeOffset(date, TimeOnly.MinValue, TimeSpan.Zero) : null);
}
