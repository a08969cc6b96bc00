using FhirCore.Messages;
using Subscriptions.Reminders.Records;
using Subscriptions.Reminders.Sending;

namespace Subscriptions.Reminders.Replies;

/// <summary>What providers tell of messages that they have taken.</summary>
public sealed class DeliveryReports
{
    /// <summary>A report can be faster than the commit that says that the message was taken.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly ReminderRecords _records;
    private readonly OutcomeWriter _outcomes;
    private readonly IMessageObserver? _observer;
    private readonly TimeProvider _clock;

    internal DeliveryReports(ReminderRecords records, OutcomeWriter outcomes, IMessageObserver? observer, TimeProvider clock) =>
        (_records, _outcomes, _observer, _clock) = (records, outcomes, observer, clock);

    /// <summary>Does nothing where the report is of another attempt, is known already, or the message is no longer of interest.</summary>
    /// <param name="providerId">The provider's id of the message that it reports.</param>
    public async Task ApplyAsync(string messageId, string providerId, MessageResult report, CancellationToken ct)
    {
        var began = _clock.GetTimestamp();
        while (true)
        {
            if (await _records.Messages.FindAsync(messageId, ct) is not { } message)
            {
                return;
            }
            if (message.Value.State != MessageState.Sending)
            {
                if (message.Value.Attempt?.ProviderId == providerId)
                {
                    await ApplyAsync(message, report);
                }
                return;
            }
            if (_clock.GetElapsedTime(began) > Patience)
            {
                return; // whoever asks the provider about it will learn the same
            }
            await Task.Delay(Pause, _clock, ct);
        }
    }

    private async Task ApplyAsync(FhirStore.Sealed.Sealed<StoredMessage> message, MessageResult report)
    {
        var (now, isApplied) = (_clock.GetUtcNow(), false);
        await _outcomes.SettleAsync(new(message, stands =>
        {
            var outcome = stands.Value.Attempt?.ProviderId == message.Value.Attempt!.ProviderId ? Outcomes.OfReport(message.Id, stands.Value, report, now) : null;
            isApplied = outcome is not null;
            return outcome;
        }));
        if (isApplied)
        {
            _observer?.Attempted(message.Value.Attempt!.Channel, report is MessageResult.Accepted ? "delivered" : "not-delivered", now - message.Value.Attempt.Since);
        }
    }
}
