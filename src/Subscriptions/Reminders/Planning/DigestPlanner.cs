using FhirCore;
using NodaTime;
using Subscriptions.Reminders.People;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Planning;

/// <summary>The message that a practitioner who asks for it gets every morning: one record, due again the next day.</summary>
internal sealed class DigestPlanner(ReminderRecords records, House house, Staff staff, ReminderOptions options, TimeProvider clock)
{
    public const string Code = "digest";

    /// <param name="asker">A Practitioner or PractitionerRole, on which the extension stands.</param>
    public async ValueTask<PlanChange> MakeAsync(ResourceKey asker, CancellationToken ct)
    {
        // Whatever version of the asker this rests on, a later one brings another event.
        var change = new PlanChange(asker, (await records.Store.GetAsync(asker, ct))?.Version ?? 0);
        var id = records.DigestId(asker.ToString());
        var kept = await records.Messages.FindAsync(id, ct);
        var asks = options.Digest is not null && await house.ReadAsync(asker, ct) is { } root && Asks(root);
        if (!asks)
        {
            if (kept is { Value.State: MessageState.Pending })
            {
                change.Removed.Add((id, kept.Version));
            }
            return change;
        }
        if (kept is null)
        {
            var next = await NextAsync(asker, clock.GetUtcNow(), ct);
            change.Messages.Add((
                id,
                new()
                {
                    Shard = ReminderRecords.ShardOf(id),
                    Topic = MessageTopic.Digest,
                    Route = MessageRoute.Mail,
                    Recipient = asker.ToString(),
                    Start = next,
                    End = next,
                    Due = next,
                    NotAfter = NotAfter(next),
                    Ends = next,
                },
                0));
        }
        return change;
    }

    /// <summary>Where the practitioner works: their own zone, else that of the role's location.</summary>
    public async ValueTask<DateTimeZone> ZoneAsync(ResourceKey asker, CancellationToken ct)
    {
        var person = await staff.FindAsync(asker, [], ct);
        if (person.TimeZone is null && asker.Type == "PractitionerRole" && await house.ReadAsync(asker, ct) is { } role
            && role.ItemsOf("location"u8).Select(location => location.Target(options.BaseUrl)).FirstOrDefault() is { } location)
        {
            return Zones.Of((await house.OfAsync([location], null, ct)).TimeZone, options.TimeZone);
        }
        return Zones.Of(person.TimeZone, options.TimeZone);
    }

    /// <returns>The first time after the instant at which the clock where they work shows the time of digests.</returns>
    public async ValueTask<DateTimeOffset> NextAsync(ResourceKey asker, DateTimeOffset after, CancellationToken ct)
    {
        var zone = await ZoneAsync(asker, ct);
        var from = Instant.FromDateTimeOffset(after);
        var day = from.InZone(zone).Date;
        var next = zone.AtLeniently(day + options.Digest!.Value).ToInstant();
        return (next > from ? next : zone.AtLeniently(day.PlusDays(1) + options.Digest!.Value).ToInstant()).ToDateTimeOffset();
    }

    /// <summary>The same digest, of the next day.</summary>
    public async ValueTask<StoredMessage> AgainAsync(StoredMessage digest, CancellationToken ct)
    {
        ResourceKey.TryParse(digest.Recipient, out var asker);
        var now = clock.GetUtcNow();
        var next = await NextAsync(asker, now > digest.Start ? now : digest.Start, ct);
        return digest with
        {
            State = MessageState.Pending, Start = next, End = next, Due = next, NotAfter = NotAfter(next), Ends = next, Attempt = null, Attempts = 0, Unknowns = 0, Repeated = false, GivenUp = [],
        };
    }

    /// <summary>By the afternoon nobody needs it any more.</summary>
    private static DateTimeOffset NotAfter(DateTimeOffset due) => due.AddHours(6);

    private static bool Asks(System.Text.Json.JsonElement root) =>
        root.PartOf("active"u8) is not { ValueKind: System.Text.Json.JsonValueKind.False } && root.Extensions(Person.StaffMessagesUrl).Any(extension => extension.TextOf("valueCode"u8) == Code);
}
