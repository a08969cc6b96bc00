using FhirCore.Messages;
using FhirStore.Sealed;
using NodaTime;
using Subscriptions.Reminders.Planning;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Sending;

/// <summary>What is known of an address, and what a commit will make of it.</summary>
/// <param name="Known">As it stands in the store; null where there is nothing yet.</param>
internal sealed record AddressEntry(string Id, Sealed<StoredAddress>? Known, StoredAddress Next);

/// <summary>Who has asked for nothing more, which addresses are none, and how much each has got: by keyed tokens of the addresses.</summary>
internal sealed class AddressBook(ReminderRecords records, ReminderOptions options)
{
    /// <summary>People get their old number back, and mailboxes are mended.</summary>
    private static readonly TimeSpan BadFor = TimeSpan.FromDays(30);

    public async ValueTask<AddressEntry> FindAsync(MessageChannelKind kind, string address, CancellationToken ct)
    {
        var id = records.AddressId(kind, address);
        var known = await records.Addresses.FindAsync(id, ct);
        return new(id, known, known?.Value ?? new());
    }

    /// <param name="zone">Of the person.</param>
    /// <returns>Why nothing may be sent there; null where it may.</returns>
    public string? Objection(StoredAddress address, MessageChannelKind kind, string messageId, MessageTopic topic, DateTimeOffset now, DateTimeZone zone)
    {
        if (address.OptedOut is not null)
        {
            return "opted-out";
        }
        if (address is { Bad: not null, BadSince: { } since } && now - since < BadFor)
        {
            return "bad-address";
        }
        if (kind != MessageChannelKind.Sms || (topic is MessageTopic.Changed or MessageTopic.Cancelled && !options.SmsAllowanceForChanges))
        {
            return null; // who is not told of a change travels for nothing
        }
        var sent = address.Sent.Where(other => other.Message != messageId).Select(other => Instant.FromDateTimeOffset(other.At));
        return options.Sms.Allows(sent, Instant.FromDateTimeOffset(now), zone) ? null : "frequency";
    }

    /// <summary>The address with one more message to it; another attempt at the same message counts once.</summary>
    public static StoredAddress WithMessage(StoredAddress address, string messageId, MessageTopic topic, DateTimeOffset now) => Kept(address with
    {
        Sent = [.. address.Sent.Where(other => other.Message != messageId && now - other.At < SmsAllowance.Memory), new(messageId, now)],
        LastMessage = topic == MessageTopic.Cancelled ? address.LastMessage : messageId,
    }, now);

    public static StoredAddress With(StoredAddress address, AddressNews news, string? code, DateTimeOffset now) => Kept(news switch
    {
        AddressNews.OptedOut => address with { OptedOut = address.OptedOut ?? now },
        AddressNews.Bad => address with { Bad = code ?? "bad", BadSince = now },
        _ => address,
    }, now);

    public static StoredAddress WithoutOptOut(StoredAddress address, DateTimeOffset now) => Kept(address with { OptedOut = null }, now);

    /// <summary>An opt-out is kept until it is taken back; all else, for as long as it counts.</summary>
    internal static StoredAddress Kept(StoredAddress address, DateTimeOffset now) => address with { Ends = address.OptedOut is null ? now + BadFor + SmsAllowance.Memory : null };
}
