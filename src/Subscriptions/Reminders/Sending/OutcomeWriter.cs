using System.Collections.Immutable;
using FhirCore.Messages;
using FhirCore.Records;
using FhirStore;
using FhirStore.Sealed;
using FhirStore.Writing;
using Subscriptions.Reminders.Planning;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Sending;

/// <summary>A decision about a message, written down with the Communication that tells of it.</summary>
/// <param name="Seen">The message as it was when the decision was made.</param>
/// <param name="Decide">What becomes of the message as it stands; null leaves it as it is. Asked again when something has changed meanwhile.</param>
internal sealed record Settlement(Sealed<StoredMessage> Seen, Func<Sealed<StoredMessage>, Outcome?> Decide)
{
    /// <summary>The decision holds for the message as it was seen, and for no other.</summary>
    public static Settlement Of(Sealed<StoredMessage> seen, Func<StoredMessage, Outcome> decide) => new(seen, stands => stands.Version == seen.Version ? decide(stands.Value) : null);
}

/// <summary>
/// Writes decisions down: those that wait share one commit, so that a thousand messages a second are some ten commits. Whoever settles
/// waits until it is on disk.
/// </summary>
internal sealed class OutcomeWriter(ReminderRecords records, ResourceStore store, DigestPlanner digests, TimeProvider clock)
{
    private const int MostAtOnce = 128;
    private const string Cause = "message";

    /// <summary>What a provider has said is not given up because the store is away for a moment.</summary>
    private const int MostAttempts = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Queue<(Settlement What, TaskCompletionSource Done)> _waiting = new();
    private bool _isWriting;

    /// <exception cref="StoreUnavailableException">It is not written; whoever finds the message again finds out what became of it.</exception>
    public Task SettleAsync(Settlement what)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _waiting.Enqueue((what, done));
            if (_isWriting)
            {
                return done.Task;
            }
            _isWriting = true;
        }
        _ = Task.Run(WriteAllAsync);
        return done.Task;
    }

    private async Task WriteAllAsync()
    {
        while (true)
        {
            var batch = new List<(Settlement What, TaskCompletionSource Done)>();
            lock (_lock)
            {
                while (batch.Count < MostAtOnce && _waiting.TryDequeue(out var next))
                {
                    batch.Add(next);
                }
                if (batch.Count == 0)
                {
                    _isWriting = false;
                    return;
                }
            }
            await WriteAsync(batch);
        }
    }

    private async Task WriteAsync(List<(Settlement What, TaskCompletionSource Done)> batch)
    {
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await CommitAsync([.. batch.Select(item => item.What)]);
                    break;
                }
                catch (StoreUnavailableException) when (attempt < MostAttempts)
                {
                    await Task.Delay(Pause, clock);
                }
            }
            batch.ForEach(static item => item.Done.SetResult());
        }
        catch (Exception error) when (batch.Count > 1 && error is not StoreUnavailableException)
        {
            foreach (var item in batch)
            {
                await WriteAsync([item]); // one that cannot be written does not take the others with it
            }
        }
        catch (Exception error)
        {
            batch.ForEach(item => item.Done.SetException(error));
        }
    }

    private async Task CommitAsync(ImmutableArray<Settlement> settlements)
    {
        var isFirst = true; // of a commit whose answer was lost the second may find its own work done: then the versions say so
        var done = await store.CommitPlanAsync(
            async (plan, ct) =>
            {
                var addresses = new Dictionary<string, AddressEntry>(StringComparer.Ordinal);
                var keyWrites = new List<RecordWrite>();
                foreach (var settlement in settlements)
                {
                    var stands = isFirst ? settlement.Seen : await records.Messages.FindAsync(settlement.Seen.Id, ct);
                    if (stands is not null && settlement.Decide(stands) is { } outcome)
                    {
                        await AddAsync(plan, stands, outcome, addresses, keyWrites, ct);
                    }
                }
                foreach (var entry in addresses.Values)
                {
                    plan.InternalWrites.Add(await records.Addresses.SealAsync(entry.Id, entry.Next, entry.Known?.Version ?? 0, keyWrites, ct));
                }
                plan.InternalWrites.AddRange(keyWrites);
                isFirst = false; // a commit that failed has found something changed: what is decided next is decided on what is there
                return (FhirCore.Outcome<int>)plan.InternalWrites.Count;
            },
            CancellationToken.None);
        if (done.Failure is { } failure)
        {
            throw new InvalidOperationException($"What became of messages could not be written down: {failure.Issues[0].Diagnostics}");
        }
    }

    private async ValueTask AddAsync(
        WritePlan plan, Sealed<StoredMessage> stands, Outcome outcome, Dictionary<string, AddressEntry> addresses, List<RecordWrite> keyWrites, CancellationToken ct)
    {
        var next = outcome.Message is { Topic: MessageTopic.Digest, State: MessageState.Done } digest ? await digests.AgainAsync(digest, ct) : outcome.Message;
        if (outcome.Note is { } note)
        {
            await plan.AddAsync(note.Key, note.ToJson(), Cause, ct);
        }
        if (outcome.News != AddressNews.None && stands.Value.Attempt is { Channel: not MessageChannelKind.Push } attempt)
        {
            var id = records.AddressId(attempt.Channel, attempt.To[0]);
            if (!addresses.TryGetValue(id, out var entry))
            {
                var known = await records.Addresses.FindAsync(id, ct);
                entry = new(id, known, known?.Value ?? new());
            }
            addresses[id] = entry with { Next = AddressBook.With(entry.Next, outcome.News, outcome.Code, clock.GetUtcNow()) };
        }
        plan.InternalWrites.Add(await records.Messages.SealAsync(stands.Id, next, stands.Version, keyWrites, ct));
    }
}
