using FhirCore;
using FhirCore.Records;
using FhirStore;
using FhirStore.Indexing;
using NodaTime;
using Subscriptions.Reminders.People;

namespace Subscriptions.Reminders.Sending;

/// <summary>A practitioner's visits of one day, by the index that scheduling keeps.</summary>
internal sealed class DayList(ResourceStore store, OperationalFields fields, House house, ReminderOptions options)
{
    private const int Most = 500;

    /// <param name="asker">A Practitioner or PractitionerRole; a role's practitioner counts too.</param>
    /// <param name="at">An instant of the day.</param>
    public async ValueTask<IReadOnlyList<(DateTimeOffset Start, DateTimeOffset End)>> OfAsync(ResourceKey asker, DateTimeOffset at, DateTimeZone zone, CancellationToken ct)
    {
        var date = Instant.FromDateTimeOffset(at).InZone(zone).Date;
        var from = date.AtStartOfDayInZone(zone).ToDateTimeOffset();
        var to = date.PlusDays(1).AtStartOfDayInZone(zone).ToDateTimeOffset();
        var actors = new HashSet<ResourceKey> { asker };
        if (await house.PractitionerOfAsync(asker, ct) is { } practitioner)
        {
            actors.Add(practitioner);
        }
        var found = new Dictionary<string, (DateTimeOffset Start, DateTimeOffset End)>(StringComparer.Ordinal);
        foreach (var actor in actors)
        {
            var token = fields.ReferenceToken(actor.ToString());
            var where = new Predicate.Between(OperationalFields.AppointmentActorStart, (byte[])[.. token, .. SortableTime.Encode(from)], (byte[])[.. token, .. SortableTime.Encode(to)]);
            foreach (var resource in (await store.QueryAsync(new("Appointment", where, RecordOrder.ById, null, Most), ct)).Resources)
            {
                // A long one is listed for every hour it lasts.
                if (Visit.Of(resource, options.BaseUrl) is { IsBooked: true, Start: { } start, End: { } end } visit && start >= from && start < to)
                {
                    found[visit.Id] = (start, end);
                }
            }
        }
        return [.. found.Values.Order()];
    }
}
