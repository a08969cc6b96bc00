using System.Text.Json;
using FhirCore;
using FhirCore.Attendance;
using FhirStore;
using Forecasting.Series;
using NodaTime;
using NodaTime.Extensions;

namespace Forecasting.NoShow;

/// <summary>Reads from an Appointment what its risk rests on.</summary>
internal sealed class VisitFacts(LoadOptions options, ResourceStore store, IReminderCount reminders)
{
    private static readonly string[] Kept = ["arrived", "checked-in", "fulfilled"];

    /// <summary>Whether it is known if the patient came; null where it is not.</summary>
    public static bool? WasMissed(JsonElement appointment) => appointment.Text("status") switch
    {
        "noshow" => true,
        { } status when Kept.Contains(status) => false,
        _ => null,
    };

    /// <summary>Lies ahead and takes somebody's time.</summary>
    public static bool IsAhead(JsonElement appointment, DateTimeOffset now) => appointment.Text("status") is "booked" or "pending" && appointment.Instant("start") > now;

    public static string? PatientOf(JsonElement appointment, string baseUrl)
    {
        foreach (var participant in appointment.Items("participant"))
        {
            if (participant.Of("actor")?.Target(baseUrl) is { Type: "Patient" } patient)
            {
                return patient.Id;
            }
        }
        return null;
    }

    /// <param name="at">As if it took place then; null for its own time.</param>
    /// <returns>Null where it names no patient, or no time.</returns>
    public async ValueTask<DecidedVisit?> ReadAsync(StoredResource resource, JsonElement appointment, DateTimeOffset? at, DirectoryView directory, CancellationToken ct)
    {
        if ((at ?? appointment.Instant("start")) is not { } start || PatientOf(appointment, options.BaseUrl) is not { } patient)
        {
            return null;
        }
        var made = resource.Version == 1 ? resource.LastUpdated : (await store.ReadVersionAsync(resource.Key, 1, ct))?.LastUpdated ?? resource.LastUpdated;
        made = VisitReader.MadeOf(appointment) ?? made;
        ResourceKey? place = null;
        foreach (var participant in appointment.Items("participant"))
        {
            place ??= participant.Of("actor")?.Target(options.BaseUrl) is { Type: "Location" } location ? location : null;
        }
        var zone = await directory.ZoneOfPlaceAsync(place, ct) ?? options.TimeZone;
        var local = start.ToInstant().InZone(zone);
        return new(
            patient, start, local.DayOfWeek.ToDayOfWeek(), local.Hour, made <= start ? (int)(start - made).TotalDays : null, appointment.Codes("serviceType").FirstOrDefault() ?? "",
            await reminders.SentAsync(resource.Key.Id, ct), WasMissed(appointment) ?? false);
    }
}
