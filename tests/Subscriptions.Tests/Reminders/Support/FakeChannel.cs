using FhirCore.Messages;

namespace Subscriptions.Tests.Reminders.Support;

/// <summary>The process was killed: nothing after this line happened.</summary>
internal sealed class KilledException : Exception;

/// <summary>A provider in memory. What it has taken is what people get.</summary>
internal sealed class FakeChannel(MessageChannelKind kind, bool remembers, TimeProvider clock) : IMessageChannel
{
    private readonly Lock _lock = new();
    private readonly List<(OutgoingMessage Message, DateTimeOffset At)> _taken = [];

    public MessageChannelKind Kind => kind;

    public bool Remembers => remembers;

    /// <summary>What it says; null takes the message. May throw <see cref="KilledException"/> or look around.</summary>
    public Func<OutgoingMessage, MessageResult?> Answers { get; set; } = static _ => null;

    /// <summary>Called once a message is taken, before anybody is told: throw to be killed between the two.</summary>
    public Action<OutgoingMessage> AfterTaking { get; set; } = static _ => { };

    /// <summary>What it says when asked; null looks among what it has taken.</summary>
    public Func<OutgoingMessage, MessageResult?> Found { get; set; } = static _ => null;

    public IReadOnlyList<(OutgoingMessage Message, DateTimeOffset At)> Taken
    {
        get
        {
            lock (_lock)
            {
                return [.. _taken];
            }
        }
    }

    public IEnumerable<string> Texts => Taken.Select(taken => taken.Message.Text);

    public int Attempts { get; private set; }

    public int Questions { get; private set; }

    public Task<MessageResult> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        lock (_lock)
        {
            Attempts++;
        }
        if (Answers(message) is { } answer && answer is not MessageResult.Unknown { Code: "taken" })
        {
            return Task.FromResult(answer);
        }
        var isUnsaid = Answers(message) is not null;
        int number;
        lock (_lock)
        {
            _taken.Add((message, clock.GetUtcNow()));
            number = _taken.Count;
        }
        AfterTaking(message);
        return Task.FromResult<MessageResult>(isUnsaid ? new MessageResult.Unknown("timeout") : new MessageResult.Accepted($"{kind}-{number}"));
    }

    public Task<MessageResult> FindAsync(OutgoingMessage message, DateTimeOffset since, CancellationToken ct)
    {
        lock (_lock)
        {
            Questions++;
            if (Found(message) is { } answer)
            {
                return Task.FromResult(answer);
            }
            if (!remembers)
            {
                return Task.FromResult<MessageResult>(new MessageResult.Unknown("cannot-tell"));
            }
            var index = _taken.FindIndex(taken => taken.Message.To == message.To && taken.Message.Text == message.Text && taken.At >= since);
            return Task.FromResult<MessageResult>(index < 0 ? new MessageResult.Later("not-found", null) : new MessageResult.Accepted($"{kind}-{index + 1}"));
        }
    }
}
