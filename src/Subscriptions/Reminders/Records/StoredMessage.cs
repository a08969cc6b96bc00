using System.Text.Json.Serialization;
using FhirCore.Messages;

namespace Subscriptions.Reminders.Records;

/// <summary>What a message is about.</summary>
public enum MessageTopic
{
    Reminder,
    Booked,
    /// <summary>Another time or another place.</summary>
    Changed,
    Cancelled,
    /// <summary>A practitioner's visits of a day.</summary>
    Digest,
}

/// <summary>Which channels a message may take.</summary>
public enum MessageRoute
{
    /// <summary>All, in the person's order, until one has taken it.</summary>
    Any,
    /// <summary>Those that ring: push and SMS.</summary>
    Phone,
    /// <summary>E-mail, with a file for the calendar. It rings nowhere, so quiet hours do not hold it up.</summary>
    Mail,
}

public enum MessageState
{
    /// <summary>Goes out when it is due.</summary>
    Pending,
    /// <summary>Given to a provider, or about to be; what became of it is not written down yet.</summary>
    Sending,
    /// <summary>Nothing more will be done, unless the provider tells that it did not arrive.</summary>
    Done,
}

/// <summary>One message to one person, from the time it is planned until it is of no interest any more.</summary>
public sealed record StoredMessage
{
    /// <summary>Part of the index: messages of one shard are sent by one process at a time.</summary>
    public byte Shard { get; init; }

    public MessageTopic Topic { get; init; }

    public MessageRoute Route { get; init; }

    /// <summary>Id of the Appointment; null for a digest.</summary>
    public string? Appointment { get; init; }

    /// <summary><c>Patient/…</c>, <c>Practitioner/…</c>, or <c>PractitionerRole/…</c> of a digest.</summary>
    public required string Recipient { get; init; }

    /// <summary>Id of the Patient whose visit it is: the message is sealed under their key.</summary>
    public string? Patient { get; init; }

    /// <summary>The time it speaks of. An appointment that stands at another one has messages of its own.</summary>
    public DateTimeOffset Start { get; init; }

    public DateTimeOffset End { get; init; }

    /// <summary>Of a reminder: the rule it comes from.</summary>
    public TimeSpan Before { get; init; }

    /// <summary>Of a reminder: it goes out only if the visit is then likely to be missed.</summary>
    public bool OnlyAtHighRisk { get; init; }

    /// <summary>How often the person was told of this visit before: the calendar's sequence.</summary>
    public int Sequence { get; init; }

    /// <summary>When it is to go out, or is to be looked at next.</summary>
    public DateTimeOffset Due { get; init; }

    public DateTimeOffset NotAfter { get; init; }

    public MessageState State { get; init; }

    /// <summary>Attempts at the present channel that ended with "later".</summary>
    public int Attempts { get; init; }

    /// <summary>How often nobody could tell how the attempt under way has ended.</summary>
    public int Unknowns { get; init; }

    /// <summary>An attempt of unknown end was repeated, by a channel that cannot be asked: it is not repeated again.</summary>
    public bool Repeated { get; init; }

    /// <summary>Channels that will not be tried again, in the order they were given up.</summary>
    public IReadOnlyList<MessageChannelKind> GivenUp { get; init; } = [];

    /// <summary>The attempt under way, or the last one.</summary>
    public MessageAttempt? Attempt { get; init; }

    /// <summary>The provider has told that it arrived.</summary>
    public bool Delivered { get; init; }

    /// <summary>Secrets of the links it carries.</summary>
    public IReadOnlyList<string> Links { get; init; } = [];

    /// <summary>When the record goes.</summary>
    public DateTimeOffset Ends { get; init; }
}

/// <param name="To">One address; of push, each of the person's apps.</param>
/// <param name="Text">As it was given to the provider: the same text again for the same attempt, and what a provider is asked by.</param>
/// <param name="ProviderId">Once the provider has taken it.</param>
public sealed record MessageAttempt(MessageChannelKind Channel, IReadOnlyList<string> To, string Text, DateTimeOffset Since, string? ProviderId = null);

/// <summary>What people have been told of one appointment.</summary>
public sealed record StoredPlan
{
    public required string Appointment { get; init; }

    public string? Patient { get; init; }

    public IReadOnlyList<ToldVisit> Told { get; init; } = [];

    /// <summary>References of what the plan rests on beside the appointment: when one of them changes, it is made again.</summary>
    public IReadOnlyList<string> Sources { get; init; } = [];

    public DateTimeOffset Ends { get; init; }
}

/// <summary>What one person believes of a visit, once their messages have arrived.</summary>
/// <param name="Place">Reference of the location; null where there is none.</param>
/// <param name="Sequence">Counts what they were told.</param>
/// <param name="Since">When they learned of this time.</param>
/// <param name="IsCancelled">They know that it will not take place.</param>
public sealed record ToldVisit(string Recipient, DateTimeOffset Start, DateTimeOffset End, string? Place, int Sequence, DateTimeOffset Since, bool IsCancelled = false);

/// <summary>What is known of an address, whoever has it: found by a keyed token of it, without the address and without a name.</summary>
public sealed record StoredAddress
{
    /// <summary>The person has asked for nothing more; until they ask for more again.</summary>
    public DateTimeOffset? OptedOut { get; init; }

    /// <summary>The provider's code for an address that is none.</summary>
    public string? Bad { get; init; }

    public DateTimeOffset? BadSince { get; init; }

    /// <summary>Messages of the last days.</summary>
    public IReadOnlyList<AddressedMessage> Sent { get; init; } = [];

    /// <summary>The visit that a reply is about: the last one that a message spoke of.</summary>
    public string? LastMessage { get; init; }

    /// <summary>When replies were answered by themselves, lately.</summary>
    public IReadOnlyList<DateTimeOffset> Answered { get; init; } = [];

    /// <summary>Null for as long as somebody has opted out.</summary>
    public DateTimeOffset? Ends { get; init; }
}

public sealed record AddressedMessage(string Message, DateTimeOffset At);

/// <summary>An app on a patient's phone.</summary>
public sealed record StoredDevice(string Patient, string Token, DateTimeOffset At);

/// <summary>An SMS that somebody sent us and what was done about it, so that the same one again does the same.</summary>
/// <param name="Message">The message it replies to.</param>
/// <param name="Command">What it asks for.</param>
public sealed record StoredReply(string? Message, string Command, DateTimeOffset Ends);

/// <summary>When this server began to tell people of their bookings: what was booked before they know already.</summary>
public sealed record StoredBeginning(DateTimeOffset At);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(StoredMessage))]
[JsonSerializable(typeof(StoredPlan))]
[JsonSerializable(typeof(StoredAddress))]
[JsonSerializable(typeof(StoredDevice))]
[JsonSerializable(typeof(StoredReply))]
[JsonSerializable(typeof(StoredBeginning))]
internal sealed partial class ReminderJson : JsonSerializerContext;
