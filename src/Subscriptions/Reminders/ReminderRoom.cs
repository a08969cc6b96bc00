using FhirCore.Attendance;
using FhirCore.Events;
using FhirCore.Pacing;
using FhirStore;
using FhirStore.Indexing;
using FhirStore.Leases;
using Subscriptions.Reminders.Devices;
using Subscriptions.Reminders.Links;
using Subscriptions.Reminders.People;
using Subscriptions.Reminders.Planning;
using Subscriptions.Reminders.Records;
using Subscriptions.Reminders.Replies;
using Subscriptions.Reminders.Sending;
using Subscriptions.Reminders.Texts;

namespace Subscriptions.Reminders;

/// <summary>Everything about reminders in one process, put together once.</summary>
public sealed class ReminderRoom
{
    private readonly ReminderRecords _records;
    private readonly ReminderOptions _options;
    private readonly IMessageObserver? _observer;
    private readonly TimeProvider _clock;
    private readonly House _house;
    private readonly VisitPlanner _visits;
    private readonly DigestPlanner _digests;
    private readonly MessageSender _sender;

    /// <param name="risk">Null where nobody estimates which visits are missed.</param>
    /// <exception cref="FormatException">A file of texts is wrong; the message names it.</exception>
    public ReminderRoom(
        ResourceStore store, ReminderRecords records, OperationalFields fields, MessageChannels channels, INoShowRisk? risk, ReminderOptions options, IMessageObserver? observer,
        TimeProvider clock, BackgroundPace? pace = null)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(options);
        (_records, _options, _observer, _clock) = (records, options, observer, clock);
        var languages = LanguageSet.Load(options.Templates, options.Language);
        var phones = new PhoneReader(options.PhoneRegion);
        _house = new(store, options.BaseUrl, clock);
        var staff = new Staff(_house, phones, clock);
        var order = new ChannelOrder(options, channels);
        _visits = new(records, store, _house, staff, phones, order, options, clock);
        _digests = new(records, _house, staff, options, clock);
        var reader = new FactsReader(store, _house, staff, _digests, phones, order, languages, options, clock);
        var outcomes = new OutcomeWriter(records, store, _digests, clock);
        var preparation = new Preparation(
            records, reader, new(records, options), new(store, fields, _house, options), new(records, options, clock), channels, risk, options, clock);
        _sender = new(records, preparation, outcomes, channels, pace ?? BackgroundPace.Free, observer, clock);
        Devices = new(records, clock);
        Links = new(records, reader, _house, languages, options, clock);
        Replies = new(records, Links, languages, clock);
        Reports = new(records, outcomes, observer, clock);
        Sweep = new(records.Store, clock);
    }

    public DeviceRegistry Devices { get; }

    public VisitLinks Links { get; }

    public InboundReplies Replies { get; }

    public DeliveryReports Reports { get; }

    public ReminderSweep Sweep { get; }

    /// <summary>What a process with the role does.</summary>
    public ReminderWork Work(IEventLog events, LeasedJobs jobs)
    {
        var due = new ChangeSignal();
        return new(events, jobs, new(_records, _visits, _digests, _house, due, _options, _clock), _sender, due, _observer, _options, _clock);
    }

    /// <summary>For tests, which bring their own events and time.</summary>
    internal ReminderPlanner Planner(ChangeSignal due) => new(_records, _visits, _digests, _house, due, _options, _clock);

    internal MessageSender Sender => _sender;
}
