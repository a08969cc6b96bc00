using System.Collections.Immutable;
using FhirCore.Messages;
using Subscriptions.Reminders.Sending;

namespace Subscriptions.Reminders.People;

/// <summary>The channels by which somebody is told, in the order they are tried: never one that is not set up.</summary>
internal sealed class ChannelOrder(ReminderOptions options, MessageChannels channels)
{
    /// <summary>Practitioners are told by e-mail alone.</summary>
    public ImmutableArray<MessageChannelKind> OfStaff { get; } = channels.Has(MessageChannelKind.Email) ? [MessageChannelKind.Email] : [];

    /// <summary>What the patient says, else the service or place, else the settings; never one that the settings leave out.</summary>
    public ImmutableArray<MessageChannelKind> Of(Person patient, Place place)
    {
        var wanted = patient.Preferences?.Channels ?? place.Preferences.Select(said => said.Channels).FirstOrDefault(said => said is not null) ?? options.Channels;
        return wanted.RemoveAll(channel => !options.Channels.Contains(channel) || !channels.Has(channel));
    }
}
