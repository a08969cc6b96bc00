using System.Globalization;
using FhirCore.Messages;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;

namespace Subscriptions.Reminders.Records;

/// <summary>The records of reminders, how their ids are made, and what they are found by. Every id is a keyed token: it tells nothing to who reads the engine.</summary>
public sealed class ReminderRecords
{
    public const string MessageType = "_Message";
    public const string PlanType = "_MessagePlan";
    public const string AddressType = "_Address";
    public const string DeviceType = "_Device";
    public const string ReplyType = "_SmsReply";
    public const string BeginningType = "_MessagesBegan";

    /// <summary>Messages are dealt to so many shards. Never to be changed: records say which one they are of.</summary>
    public const int Shards = 16;

    private const int IdLength = 16;
    private const string BeginningId = "notices";

    private readonly IndexTokenKey _ids;
    private readonly IndexTokenKey _secrets;
    private readonly TokenField _appointment;
    private readonly TokenField _link;
    private readonly TokenField _source;
    private readonly TokenField _patient;

    public ReminderRecords(IRecordStore records, RecordCipher cipher, IndexTokens tokens, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        Store = records;
        _ids = tokens.KeyFor("~message-ids");
        _secrets = tokens.KeyFor("~visit-links");
        _appointment = new(tokens, MessageType, "appointment");
        _link = new(tokens, MessageType, "link");
        _source = new(tokens, PlanType, "source");
        _patient = new(tokens, DeviceType, "patient");
        Messages = new(records, cipher, clock, MessageType, ReminderJson.Default.StoredMessage, IndexMessage, static message => message.Patient);
        Plans = new(records, cipher, clock, PlanType, ReminderJson.Default.StoredPlan, IndexPlan, static plan => plan.Patient);
        Addresses = new(records, cipher, clock, AddressType, ReminderJson.Default.StoredAddress, static (address, entries) =>
        {
            if (address.Ends is { } ends)
            {
                EndsField.Add(entries, ends);
            }
        });
        Devices = new(records, cipher, clock, DeviceType, ReminderJson.Default.StoredDevice, (device, entries) => _patient.Add(entries, device.Patient), static device => device.Patient);
        Replies = new(records, cipher, clock, ReplyType, ReminderJson.Default.StoredReply, static (reply, entries) => EndsField.Add(entries, reply.Ends));
        Beginnings = new(records, cipher, clock, BeginningType, ReminderJson.Default.StoredBeginning, static (_, _) => { });
    }

    public IRecordStore Store { get; }

    public SealedRecords<StoredMessage> Messages { get; }

    public SealedRecords<StoredPlan> Plans { get; }

    public SealedRecords<StoredAddress> Addresses { get; }

    public SealedRecords<StoredDevice> Devices { get; }

    public SealedRecords<StoredReply> Replies { get; }

    public SealedRecords<StoredBeginning> Beginnings { get; }

    /// <summary>One message for each thing to say to one person by one route.</summary>
    /// <param name="sequence">Of what they were told; for reminders, which time and rule tell apart, 0.</param>
    public string MessageId(string appointment, string recipient, MessageTopic topic, MessageRoute route, DateTimeOffset start, TimeSpan before, int sequence) => Id(string.Create(
        CultureInfo.InvariantCulture, $"message\n{appointment}\n{recipient}\n{topic}\n{route}\n{start.UtcTicks}\n{before.Ticks}\n{sequence}"));

    /// <summary>Of a visit in one person's calendar.</summary>
    public string CalendarId(string appointment, string recipient) => Id($"calendar\n{appointment}\n{recipient}");

    /// <summary>Of what one person answers about one time of a visit.</summary>
    public string AnswerId(string appointment, string recipient, DateTimeOffset start) => Id(string.Create(CultureInfo.InvariantCulture, $"answer\n{appointment}\n{recipient}\n{start.UtcTicks}"));

    /// <summary>Of what one digest says of one day.</summary>
    public string DayId(string digest, DateTimeOffset day) => Id(string.Create(CultureInfo.InvariantCulture, $"day\n{digest}\n{day.UtcTicks}"));

    public string DigestId(string recipient) => Id($"digest\n{recipient}");

    public string PlanId(string appointment) => Id($"plan\n{appointment}");

    /// <param name="address">As it is given to the channel.</param>
    public string AddressId(MessageChannelKind kind, string address) => Id($"address\n{kind}\n{(kind == MessageChannelKind.Email ? address.ToLowerInvariant() : address)}");

    public string DeviceId(string token) => Id($"device\n{token}");

    public string ReplyId(string sid) => Id($"reply\n{sid}");

    /// <summary>Of a message: nothing but its id decides, so that it never changes hands.</summary>
    public static byte ShardOf(string messageId) => (byte)(Convert.FromHexString(messageId.AsSpan(0, 2))[0] % Shards);

    /// <summary>What stands in a link: made from the message and what may be done by it, so that nobody can make one who does not have the key.</summary>
    public string LinkSecret(string messageId, string purpose)
    {
        Span<byte> token = stackalloc byte[IdLength];
        _secrets.Token($"{messageId}\n{purpose}", token);
        return System.Buffers.Text.Base64Url.EncodeToString(token);
    }

    public Predicate OfAppointment(string appointment) => _appointment.Is(appointment);

    public Predicate OfLink(string secret) => _link.Is(secret);

    public Predicate RestingOn(string reference) => _source.Is(reference);

    public Predicate OfPatient(string patient) => _patient.Is(patient);

    /// <summary>When messages about bookings began; written down the first time it is asked for.</summary>
    public async ValueTask<DateTimeOffset> BeganAsync(DateTimeOffset now, CancellationToken ct)
    {
        while (true)
        {
            if (await Beginnings.FindAsync(BeginningId, ct) is { } began)
            {
                return began.Value.At;
            }
            if (await Beginnings.TryWriteAsync(BeginningId, new(now), 0, null, ct))
            {
                return now;
            }
        }
    }

    private void IndexMessage(StoredMessage message, IndexEntries.Builder entries)
    {
        if (message.State == MessageState.Done)
        {
            EndsField.Add(entries, message.Ends);
        }
        else
        {
            DueField.Add(entries, message.Shard, message.Due);
        }
        _appointment.Add(entries, message.Appointment);
        foreach (var secret in message.Links)
        {
            _link.Add(entries, secret);
        }
    }

    private void IndexPlan(StoredPlan plan, IndexEntries.Builder entries)
    {
        EndsField.Add(entries, plan.Ends);
        foreach (var source in plan.Sources)
        {
            _source.Add(entries, source);
        }
    }

    private string Id(string what)
    {
        Span<byte> token = stackalloc byte[IdLength];
        _ids.Token(what, token);
        return Convert.ToHexStringLower(token);
    }
}
