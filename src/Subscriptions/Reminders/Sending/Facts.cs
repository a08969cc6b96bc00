using System.Collections.Immutable;
using FhirCore;
using FhirCore.Messages;
using NodaTime;
using Subscriptions.Reminders.People;
using Subscriptions.Reminders.Texts;

namespace Subscriptions.Reminders.Sending;

/// <summary>What a message is made of, read when it is about to go out: people's numbers and languages may have changed since it was planned.</summary>
/// <param name="Visit">As it stands; null for a digest.</param>
/// <param name="There">Zone of the place: times are those that the clock there shows.</param>
/// <param name="Here">Zone of the person: quiet hours and days are theirs.</param>
/// <param name="Channels">Those that are set up and that the person takes, in their order.</param>
internal sealed record Facts(Visit? Visit, Person Person, Place Place, Language Language, DateTimeZone There, DateTimeZone Here, ImmutableArray<MessageChannelKind> Channels)
{
    public bool IsStaff => Person.Key.Type != "Patient";

    public ResourceKey Recipient => Person.Key;
}
