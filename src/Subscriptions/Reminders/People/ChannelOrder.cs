using System.Collections.Immutable;
using FhirCore.Messages;

namespace Subscriptions.Reminders.People;

internal static class ChannelOrder
{
    /// <summary>Channels in the order they are tried: what the patient says, else the service or place, else the settings; never one that the settings leave out.</summary>
    public static ImmutableArray<MessageChannelKind> Of(Person person, Place place, ReminderOptions options)
    {
        var wanted = person.Preferences?.Channels ?? place.Preferences.Select(said => said.Channels).FirstOrDefault(said => said is not null) ?? options.Channels;
        return wanted.RemoveAll(channel => !options.Channels.Contains(channel));
    }
}
