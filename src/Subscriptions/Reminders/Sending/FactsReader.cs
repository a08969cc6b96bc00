using FhirCore;
using FhirCore.Messages;
using FhirStore;
using Subscriptions.Reminders.People;
using Subscriptions.Reminders.Planning;
using Subscriptions.Reminders.Records;
using Subscriptions.Reminders.Texts;

namespace Subscriptions.Reminders.Sending;

/// <summary>Reads what a message is about, as it stands now, and says whether what the message says is still so.</summary>
internal sealed class FactsReader(
    ResourceStore store, House house, Staff staff, DigestPlanner digests, PhoneReader phones, ChannelOrder channels, LanguageSet languages, ReminderOptions options, TimeProvider clock)
{
    public async ValueTask<Facts> ReadAsync(StoredMessage message, CancellationToken ct)
    {
        ResourceKey.TryParse(message.Recipient, out var recipient);
        Visit? visit = null;
        if (message.Appointment is { } appointment)
        {
            var key = new ResourceKey("Appointment", appointment);
            visit = await store.ReadAsync(key, ct) is { } resource ? Visit.Of(resource, options.BaseUrl) : Visit.None(key);
        }
        var place = visit is null ? Place.Unknown : await house.OfAsync(visit, ct);
        if (recipient.Type == "Patient")
        {
            var patient = Person.Of(recipient, await store.ReadAsync(recipient, ct), phones, clock.GetUtcNow());
            return new(
                visit, patient, place, languages.Of(patient.Language), Zones.Of(place.TimeZone, patient.TimeZone, options.TimeZone), Zones.Of(patient.TimeZone, place.TimeZone, options.TimeZone),
                channels.Of(patient, place));
        }
        var person = await staff.FindAsync(recipient, visit?.Actors ?? [], ct);
        var zone = message.Topic == MessageTopic.Digest ? await digests.ZoneAsync(recipient, ct) : Zones.Of(place.TimeZone, person.TimeZone, options.TimeZone);
        return new(visit, person, place, languages.Of(person.Language), zone, zone, channels.OfStaff);
    }

    /// <summary>The one question that decides whether anything goes out.</summary>
    public async ValueTask<bool> StillStandsAsync(StoredMessage message, Facts facts, CancellationToken ct)
    {
        if (!facts.Person.Reachable)
        {
            return false;
        }
        if (message.Topic == MessageTopic.Digest)
        {
            return true;
        }
        var visit = facts.Visit!;
        var takesPart = facts.IsStaff ? await staff.TakesPartAsync(facts.Recipient, visit.Actors, ct) : visit.Has(facts.Recipient.ToString());
        return message.Topic == MessageTopic.Cancelled
            ? visit.IsOff || !takesPart
            : visit.IsBooked && visit.Start == message.Start && takesPart && facts.Person.Preferences is not { Off: true };
    }
}
