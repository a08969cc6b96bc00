using System.Collections.Immutable;
using FhirCore;
using FhirCore.Messages;
using FhirStore;
using FhirStore.Sealed;
using NodaTime;
using Subscriptions.Reminders.People;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Planning;

/// <summary>What making a plan comes to: to be committed with the appointment still at the version it was made for.</summary>
internal sealed record PlanChange(ResourceKey Appointment, long Version)
{
    /// <summary>Null where it stays as it is.</summary>
    public (string Id, StoredPlan Plan, long Expected)? Plan { get; init; }

    /// <summary>What it was made from beside the appointment: it holds only while that stands as it was read.</summary>
    public IReadOnlyList<Source> Sources { get; init; } = [];

    public List<(string Id, StoredMessage Message, long Expected)> Messages { get; } = [];

    public List<(string Id, long Version)> Removed { get; } = [];

    public bool IsEmpty => Plan is null && Messages.Count == 0 && Removed.Count == 0;
}

/// <summary>Makes the plan of one appointment anew: what is to be said to whom and when, compared with what is planned already.</summary>
internal sealed class VisitPlanner(
    ReminderRecords records, ResourceStore store, House house, Staff staff, PhoneReader phones, ChannelOrder channels, ReminderOptions options, TimeProvider clock)
{
    /// <summary>After the visit, for what providers still tell, and so that nothing is planned again.</summary>
    private static readonly TimeSpan KeptAfter = TimeSpan.FromDays(3);

    /// <summary>Who would learn of it in the morning with less than this to go is told at night.</summary>
    private static readonly Duration TooLateInTheMorning = Duration.FromHours(3);

    /// <param name="at">When it was changed.</param>
    /// <param name="asNews">False writes down what people will be taken to know, and tells them nothing.</param>
    public async ValueTask<PlanChange> MakeAsync(string appointment, DateTimeOffset at, bool asNews, CancellationToken ct)
    {
        var key = new ResourceKey("Appointment", appointment);
        var now = clock.GetUtcNow();
        var visit = await store.ReadAsync(key, ct) is { } resource ? Visit.Of(resource, options.BaseUrl) : null;
        var change = new PlanChange(key, visit?.Version ?? 0);
        var id = records.PlanId(appointment);
        var kept = await records.Plans.FindAsync(id, ct);
        if (visit is null || (kept is null && !(visit.IsBooked && visit.Start > now)))
        {
            return change;
        }
        var place = await house.OfAsync(visit, ct);
        var isOff = place.Preferences.Any(said => said.Off);
        var sources = new List<Source>(place.Sources);
        var patients = await PatientsAsync(visit, isOff, sources, now, ct);
        var people = isOff || !options.Notices ? [] : await StaffAsync(visit, ct);
        var (told, notices) = Telling.Compare(
            kept?.Value.Told ?? [], visit, [.. patients.Concat(people).Select(person => person.Key.ToString())], place.Location?.ToString(), at, now);
        var plan = new StoredPlan
        {
            Appointment = appointment,
            Patient = visit.Patients.Take(2).ToArray() is [var only] ? only.Id : kept?.Value.Patient,
            Told = told,
            Sources = [.. visit.Patients.Concat(place.Sources.Select(source => source.Key)).Select(source => source.ToString()).Distinct().Order(StringComparer.Ordinal)],
            Ends = Latest(told.Select(known => known.End).Append(visit.End ?? now).Append(now)) + KeptAfter,
        };
        change = change with { Sources = sources };
        if (kept is null || !IsSame(kept.Value, plan))
        {
            change = change with { Plan = (id, plan, kept?.Version ?? 0) };
        }
        var existing = kept is null ? [] : await records.Messages.QueryAsync(records.OfAppointment(appointment), ct).ToListAsync(ct);
        var draft = new Draft(change, existing, visit, plan, now);
        if (asNews && options.Notices)
        {
            foreach (var notice in notices)
            {
                await TellAsync(draft, notice, patients.Find(person => person.Key.ToString() == notice.Told.Recipient), place, ct);
            }
        }
        Remind(draft, patients, place);
        return change;
    }

    private sealed record Draft(PlanChange Change, List<Sealed<StoredMessage>> Existing, Visit Visit, StoredPlan Plan, DateTimeOffset Now);

    private static DateTimeOffset Latest(IEnumerable<DateTimeOffset> times) => times.Max();

    private static bool IsSame(StoredPlan a, StoredPlan b) => a.Patient == b.Patient && a.Told.SequenceEqual(b.Told) && a.Sources.SequenceEqual(b.Sources);

    private async ValueTask<List<Person>> PatientsAsync(Visit visit, bool isOff, List<Source> sources, DateTimeOffset now, CancellationToken ct)
    {
        var patients = new List<Person>();
        foreach (var key in isOff ? [] : visit.Patients)
        {
            var resource = await store.ReadAsync(key, ct);
            sources.Add(new(key, resource?.Version ?? 0));
            var person = Person.Of(key, resource, phones, now);
            if (person is { Reachable: true, Preferences: not { Off: true } })
            {
                patients.Add(person);
            }
        }
        return patients;
    }

    private async ValueTask<List<Person>> StaffAsync(Visit visit, CancellationToken ct)
    {
        var all = await staff.OfAsync(visit.Actors, ct);
        return all.FindAll(person => person.Reachable && !person.Emails.IsEmpty && (person.Asks.Contains("notices") || (options.StaffNotices && !person.Asks.Contains("no-notices"))));
    }

    private async ValueTask TellAsync(Draft draft, Notice notice, Person? patient, Place place, CancellationToken ct)
    {
        var isStaff = !notice.Told.Recipient.StartsWith("Patient/", StringComparison.Ordinal);
        if (!isStaff && patient is null)
        {
            // No longer a participant, or it is all off: who was told of the visit is told of its end.
            ResourceKey.TryParse(notice.Told.Recipient, out var key);
            patient = Person.Of(key, await store.ReadAsync(key, ct), phones, draft.Now);
            if (!patient.Reachable)
            {
                return;
            }
        }
        var open = isStaff ? channels.OfStaff : channels.Of(patient!, place);
        var hasMail = open.Contains(MessageChannelKind.Email) && (isStaff || !patient!.Emails.IsEmpty);
        var hasPhone = !isStaff && ((open.Contains(MessageChannelKind.Sms) && !patient!.Numbers.IsEmpty)
            || (open.Contains(MessageChannelKind.Push) && await records.Devices.AnyAsync(records.OfPatient(patient!.Key.Id), ct)));
        if (hasPhone || (!isStaff && !hasMail))
        {
            Add(MessageRoute.Phone, Quiet(draft.Now, notice.Told.Start, Zone(patient, place)));
        }
        if (hasMail)
        {
            Add(MessageRoute.Mail, draft.Now);
        }

        void Add(MessageRoute route, DateTimeOffset due)
        {
            var topic = notice.Topic;
            foreach (var waiting in draft.Existing.Where(message => message.Value.Recipient == notice.Told.Recipient && message.Value.Route == route && IsUnsaid(message.Value)).ToList())
            {
                // Nobody has heard of that yet: what is said now takes its place.
                draft.Change.Removed.Add((waiting.Id, waiting.Version));
                draft.Existing.Remove(waiting);
                topic = (waiting.Value.Topic, topic) switch
                {
                    (MessageTopic.Booked, MessageTopic.Changed) => MessageTopic.Booked,
                    (MessageTopic.Booked, MessageTopic.Cancelled) => MessageTopic.Reminder, // nothing to say
                    _ => topic,
                };
            }
            if (topic != MessageTopic.Reminder)
            {
                Put(draft, topic, route, notice.Told, default, due, notice.Told.Start);
            }
        }
    }

    private static bool IsUnsaid(StoredMessage message) =>
        message is { State: MessageState.Pending, Attempts: 0, Unknowns: 0, GivenUp.Count: 0 } and not { Topic: MessageTopic.Reminder };

    private void Remind(Draft draft, List<Person> patients, Place place)
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var person in patients)
        {
            if (draft.Plan.Told.FirstOrDefault(known => known.Recipient == person.Key.ToString()) is not { IsCancelled: false } told || !draft.Visit.IsBooked || draft.Visit.Start != told.Start)
            {
                continue;
            }
            var before = person.Preferences?.Before ?? place.Preferences.Select(said => said.Before).FirstOrDefault(said => said is not null) ?? options.Before;
            var rules = new ReminderRules(before, options.Quiet, options.Spacing);
            var (start, since, now, zone) =
                (Instant.FromDateTimeOffset(told.Start), Instant.FromDateTimeOffset(told.Since), Instant.FromDateTimeOffset(draft.Now), Zone(person, place));
            var plan = ReminderPlan.Make(rules, start, since, now, zone);
            var more = person.Preferences?.Before is null ? ReminderPlan.MakeMore(rules, options.BeforeAtHighRisk, start, since, now, zone) : [];
            foreach (var reminder in plan)
            {
                wanted.Add(Put(draft, MessageTopic.Reminder, MessageRoute.Any, told, reminder.Before, reminder.Due.ToDateTimeOffset(), reminder.NotAfter.ToDateTimeOffset()));
            }
            foreach (var reminder in more)
            {
                wanted.Add(Put(draft, MessageTopic.Reminder, MessageRoute.Any, told, reminder.Before, reminder.Due.ToDateTimeOffset(), reminder.NotAfter.ToDateTimeOffset(), onlyAtHighRisk: true));
            }
        }
        foreach (var message in draft.Existing)
        {
            if (message.Value is { Topic: MessageTopic.Reminder, State: MessageState.Pending } && !wanted.Contains(message.Id))
            {
                draft.Change.Removed.Add((message.Id, message.Version));
            }
        }
    }

    /// <returns>Its id, whether or not it was there.</returns>
    private string Put(Draft draft, MessageTopic topic, MessageRoute route, ToldVisit told, TimeSpan before, DateTimeOffset due, DateTimeOffset notAfter, bool onlyAtHighRisk = false)
    {
        var sequence = topic == MessageTopic.Reminder ? 0 : told.Sequence;
        var id = records.MessageId(draft.Visit.Id, told.Recipient, topic, route, told.Start, before, sequence);
        var known = draft.Existing.Find(message => message.Id == id);
        if (known is null)
        {
            draft.Change.Messages.Add((
                id,
                new()
                {
                    Shard = ReminderRecords.ShardOf(id),
                    Topic = topic,
                    Route = route,
                    Appointment = draft.Visit.Id,
                    Recipient = told.Recipient,
                    Patient = told.Recipient.StartsWith("Patient/", StringComparison.Ordinal) ? told.Recipient["Patient/".Length..] : draft.Plan.Patient,
                    Start = told.Start,
                    End = told.End,
                    Before = before,
                    OnlyAtHighRisk = onlyAtHighRisk,
                    Sequence = told.Sequence,
                    Due = due,
                    NotAfter = notAfter,
                    Ends = draft.Plan.Ends,
                },
                0));
        }
        else if (known.Value is { State: MessageState.Pending, Attempts: 0, Unknowns: 0, GivenUp.Count: 0 } waiting && topic == MessageTopic.Reminder
            && (waiting.Due != due || waiting.NotAfter != notAfter || waiting.End != told.End || waiting.Sequence != told.Sequence
                || waiting.OnlyAtHighRisk != onlyAtHighRisk))
        {
            draft.Change.Messages.Add((id, waiting with { Due = due, NotAfter = notAfter, End = told.End, Sequence = told.Sequence, OnlyAtHighRisk = onlyAtHighRisk }, known.Version));
        }
        return id;
    }

    private DateTimeZone Zone(Person? person, Place place) => Zones.Of(person?.TimeZone, place.TimeZone, options.TimeZone);

    /// <summary>After quiet hours, unless it would be too late by then.</summary>
    private DateTimeOffset Quiet(DateTimeOffset now, DateTimeOffset start, DateTimeZone zone)
    {
        if (options.Quiet is not { } quiet)
        {
            return now;
        }
        var next = quiet.NextAllowed(Instant.FromDateTimeOffset(now), zone);
        return Instant.FromDateTimeOffset(start) - next < TooLateInTheMorning ? now : next.ToDateTimeOffset();
    }
}
