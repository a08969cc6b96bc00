using System.Collections.Frozen;
using FhirCore.Messages;

namespace Subscriptions.Reminders.Sending;

/// <summary>The channels that are set up. One that is not is as if nobody had such an address.</summary>
public sealed class MessageChannels(IEnumerable<IMessageChannel> channels)
{
    private readonly FrozenDictionary<MessageChannelKind, IMessageChannel> _byKind = channels.ToFrozenDictionary(channel => channel.Kind);

    public bool HasAny => _byKind.Count > 0;

    public bool Has(MessageChannelKind kind) => _byKind.ContainsKey(kind);

    public IMessageChannel Of(MessageChannelKind kind) => _byKind[kind];
}
