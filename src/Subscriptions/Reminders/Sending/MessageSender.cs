using System.Collections.Immutable;
using FhirCore;
using FhirCore.Messages;
using FhirCore.Pacing;
using FhirCore.Records;
using FhirStore.Sealed;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Sending;

/// <summary>
/// Sends what is due of one shard. A message is claimed in a commit that also checks the appointment's version, looked at once more in the
/// moment it goes out, and what became of it is written down with the Communication that tells of it.
/// </summary>
/// <remarks>
/// Right even where two processes do it at once: a claim is a write at the version that was read, so one of them wins. A claim is good for
/// a few seconds, and a message that stays in the state of being sent is left alone for much longer than that.
/// </remarks>
internal sealed class MessageSender(
    ReminderRecords records, Preparation preparation, OutcomeWriter outcomes, MessageChannels channels, BackgroundPace pace, IMessageObserver? observer, TimeProvider clock)
{
    /// <summary>Between the commit that claims a message and its sending; what takes longer is put back.</summary>
    private static readonly TimeSpan ClaimIsGood = TimeSpan.FromSeconds(3);

    /// <summary>What cannot even be looked at, for a fault of ours, is left alone so long.</summary>
    private static readonly TimeSpan AfterFault = TimeSpan.FromMinutes(10);

    /// <param name="Due">When it was due, before it was claimed.</param>
    private sealed record Claim(Sealed<StoredMessage> Claimed, Step.Send Step, DateTimeOffset Due);

    /// <summary>Whether anything of the shard is due.</summary>
    public ValueTask<bool> IsAnyDueAsync(byte shard, CancellationToken ct) => records.Messages.AnyAsync(DueField.Until(shard, clock.GetUtcNow()), ct);

    /// <summary>Sends until nothing more is due, or the token ends. What was begun is ended.</summary>
    /// <param name="most">Messages under way at once.</param>
    /// <param name="enough">Ends the turn after the present batch.</param>
    public async Task SendDueAsync(byte shard, int most, CancellationToken enough)
    {
        var sent = 1;
        while (!enough.IsCancellationRequested)
        {
            await pace.TurnAsync(sent, enough);
            var due = await records.Messages.FirstAsync(DueField.Until(shard, clock.GetUtcNow()), DueField.Order, most, enough);
            if (due.Closed.Count > 0)
            {
                await RemoveAsync(due.Closed, enough);
            }
            if (due.Opened.Count == 0)
            {
                return;
            }
            await SendAsync(due.Opened, enough);
            sent = due.Opened.Count;
        }
    }

    private async Task SendAsync(IReadOnlyList<Sealed<StoredMessage>> due, CancellationToken ct)
    {
        var sends = new List<(Sealed<StoredMessage> Message, Step.Send Step)>(due.Count);
        var addresses = new Dictionary<string, AddressEntry>(StringComparer.Ordinal);
        var settling = new List<Task>();
        try
        {
            foreach (var message in due)
            {
                switch (await PrepareAsync(message, addresses, ct))
                {
                    case Step.Send send:
                        sends.Add((message, send));
                        if (send.Address is { } entry)
                        {
                            addresses[entry.Id] = entry;
                        }
                        break;
                    case Step.Settle settle:
                        settling.Add(outcomes.SettleAsync(Settlement.Of(message, _ => settle.Outcome)));
                        break;
                    case Step.Ask ask:
                        settling.Add(AskAsync(message, ask));
                        break;
                    case Step.Withdraw:
                        settling.Add(records.Messages.TryRemoveAsync(message.Id, message.Version, ct));
                        break;
                }
            }
            var began = clock.GetTimestamp();
            foreach (var claim in await ClaimAsync(sends, addresses, ct))
            {
                settling.Add(SendAsync(claim, began));
            }
        }
        finally
        {
            await Task.WhenAll(settling);
        }
    }

    /// <summary>One message that cannot be looked at does not hold up the others.</summary>
    private async ValueTask<Step> PrepareAsync(Sealed<StoredMessage> message, Dictionary<string, AddressEntry> addresses, CancellationToken ct)
    {
        try
        {
            return await preparation.PrepareAsync(message, addresses, ct);
        }
        catch (Exception error) when (error is not (StoreUnavailableException or OperationCanceledException))
        {
            observer?.Failed(error);
            return new Step.Settle(new(message.Value with { Due = clock.GetUtcNow() + AfterFault }, null));
        }
    }

    /// <summary>One commit for all; whose appointment, number or record has changed meanwhile is left for the next look.</summary>
    private async Task<List<Claim>> ClaimAsync(List<(Sealed<StoredMessage> Message, Step.Send Step)> sends, Dictionary<string, AddressEntry> addresses, CancellationToken ct)
    {
        while (sends.Count > 0)
        {
            var keyWrites = new List<RecordWrite>();
            var result = await records.Store.CommitAsync(await EncodeAsync(sends, addresses, keyWrites, ct), ct);
            if (result is CommitResult.Done)
            {
                return sends.ConvertAll(send => new Claim(new(send.Message.Id, send.Message.Version + 1, send.Step.Claimed), send.Step, send.Message.Value.Due));
            }
            var changed = ((CommitResult.VersionConflict)result).Key;
            if (sends.RemoveAll(send => IsAbout(send, changed)) == 0 && !keyWrites.Exists(write => write.Record.Key == changed))
            {
                throw new InvalidOperationException($"A claim met a {changed.Type} that is none of its own.");
            }
        }
        return [];
    }

    private async ValueTask<Commit> EncodeAsync(
        List<(Sealed<StoredMessage> Message, Step.Send Step)> sends, Dictionary<string, AddressEntry> addresses, List<RecordWrite> keyWrites, CancellationToken ct)
    {
        var writes = ImmutableArray.CreateBuilder<RecordWrite>();
        var conditions = ImmutableArray.CreateBuilder<RecordCondition>();
        foreach (var (message, step) in sends)
        {
            writes.Add(await records.Messages.SealAsync(message.Id, step.Claimed, message.Version, keyWrites, ct));
            if (step.Visit is { } visit)
            {
                conditions.Add(new RecordCondition.VersionIs(new("Appointment", visit.Id), visit.Version));
            }
        }
        foreach (var id in sends.Select(send => send.Step.Address?.Id).OfType<string>().Distinct())
        {
            writes.Add(await records.Addresses.SealAsync(id, addresses[id].Next, addresses[id].Known?.Version ?? 0, keyWrites, ct));
        }
        writes.AddRange(keyWrites);
        return new(writes.DrainToImmutable(), conditions.DrainToImmutable(), []);
    }

    private static bool IsAbout((Sealed<StoredMessage> Message, Step.Send Step) send, ResourceKey key) => key.Type switch
    {
        ReminderRecords.MessageType => key.Id == send.Message.Id,
        ReminderRecords.AddressType => key.Id == send.Step.Address?.Id,
        "Appointment" => key.Id == send.Step.Visit?.Id,
        _ => false,
    };

    private async Task SendAsync(Claim claim, long began)
    {
        var (claimed, step, due) = claim;
        // The commit was some milliseconds ago: what was cancelled since then is not sent.
        if (clock.GetElapsedTime(began) > ClaimIsGood || (step.Visit is { } visit && await VersionOfAsync(visit.Id) != visit.Version))
        {
            await outcomes.SettleAsync(Settlement.Of(claimed, stands => new(stands with { State = MessageState.Pending, Due = due, Attempt = null }, null)));
            return;
        }
        var channel = channels.Of(claimed.Value.Attempt!.Channel);
        var result = await SendToAllAsync(channel, step.Messages);
        Tell(channel.Kind, result, clock.GetUtcNow() - due);
        await SettleAsync(claimed, result, channel, step.Others);
    }

    /// <summary>Past the claim nothing is broken off: a provider's call ends by itself, and what it said is written down.</summary>
    private async Task<MessageResult> SendToAllAsync(IMessageChannel channel, ImmutableArray<OutgoingMessage> messages)
    {
        if (messages is [var only])
        {
            return await channel.SendAsync(only, CancellationToken.None);
        }
        var results = await Task.WhenAll(messages.Select(message => channel.SendAsync(message, CancellationToken.None)));
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i] is MessageResult.Refused { Why: MessageRefusal.BadAddress })
            {
                await ForgetDeviceAsync(messages[i].To);
            }
        }
        // One of the apps having it is enough; next counts what may come to have it.
        return results.OfType<MessageResult.Accepted>().FirstOrDefault() ?? results.OfType<MessageResult.Unknown>().FirstOrDefault()
            ?? results.OfType<MessageResult.Later>().FirstOrDefault() ?? results[0];
    }

    private async Task AskAsync(Sealed<StoredMessage> message, Step.Ask ask)
    {
        var channel = channels.Of(message.Value.Attempt!.Channel);
        var found = await channel.FindAsync(ask.Message, ask.Since, CancellationToken.None);
        if (found is MessageResult.Later)
        {
            // Surely never taken: it goes out at once, if it still stands.
            await outcomes.SettleAsync(Settlement.Of(message, stands => new(stands with { State = MessageState.Pending, Due = clock.GetUtcNow() }, null)));
            return;
        }
        await SettleAsync(message, found, channel, ask.Others);
    }

    private async Task SettleAsync(Sealed<StoredMessage> message, MessageResult result, IMessageChannel channel, bool others)
    {
        if (result is MessageResult.Refused { Why: MessageRefusal.Configuration, Code: var code })
        {
            observer?.Misconfigured(channel.Kind, code);
        }
        if (result is MessageResult.Refused { Why: MessageRefusal.BadAddress } && channel.Kind == MessageChannelKind.Push)
        {
            await ForgetDeviceAsync(message.Value.Attempt!.To[0]);
        }
        var (now, jitter) = (clock.GetUtcNow(), Random.Shared.NextDouble());
        await outcomes.SettleAsync(Settlement.Of(message, stands => Outcomes.Of(message.Id, stands, result, channel.Remembers, others, now, jitter)));
    }

    private async ValueTask ForgetDeviceAsync(string token)
    {
        var id = records.DeviceId(token);
        if (await records.Devices.FindAsync(id, CancellationToken.None) is { } device)
        {
            await records.Devices.TryRemoveAsync(id, device.Version, CancellationToken.None);
        }
    }

    private async ValueTask<long> VersionOfAsync(string appointment) => (await records.Store.GetAsync(new("Appointment", appointment), CancellationToken.None))?.Version ?? 0;

    private async Task RemoveAsync(IReadOnlyList<(string Id, long Version)> closed, CancellationToken ct)
    {
        foreach (var (id, version) in closed)
        {
            await records.Messages.TryRemoveAsync(id, version, ct);
        }
        observer?.Unreadable(closed.Count);
    }

    private void Tell(MessageChannelKind channel, MessageResult result, TimeSpan late) => observer?.Attempted(channel, result switch
    {
        MessageResult.Accepted => "taken",
        MessageResult.Later => "later",
        MessageResult.Unknown => "unknown",
        _ => "refused",
    }, late);
}
