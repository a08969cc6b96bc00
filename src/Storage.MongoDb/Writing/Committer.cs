using FhirCore.Records;
using MongoDB.Driver;
using Storage.MongoDb.Connecting;
using Storage.MongoDb.Journal;
using Storage.MongoDb.Querying;

namespace Storage.MongoDb.Writing;

/// <summary>Carries a commit through: waits for its turn in this process, tries until it is decided, and finds out what became of it where the answer was lost.</summary>
internal sealed class Committer(
    MongoDbOptions options, Deployment deployment, OpenTransactions transactions, RecordReader records, JournalReader journal, Attempts attempts, Sequences sequences) : IDisposable
{
    private static readonly TimeSpan ForTidying = TimeSpan.FromSeconds(2);

    private readonly KeyedLocks _locks = new();
    private readonly RecentVersions _recent = new();

    /// <summary>Cancelling ends the wait; a commit that has begun goes on.</summary>
    public async Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        var plan = new CommitPlan(commit, deployment.IsSharded);
        var running = Failures.GuardAsync(options.OperationTimeout, CancellationToken.None, limit => RunAsync(plan, limit));
        return await running.WaitAsync(ct).ConfigureAwait(false);
    }

    public void Dispose() => _locks.Dispose();

    private async Task<CommitResult> RunAsync(CommitPlan plan, CancellationToken ct)
    {
        using var held = await _locks.EnterAsync(plan.LockNames, ct).ConfigureAwait(false);
        if (held.Waited && _recent.ConflictIn(plan) is { } late)
        {
            return late;
        }
        if ((held.Waited || plan.Broken is not null) && await FindConflictAsync(plan, ct).ConfigureAwait(false) is { } overtaken)
        {
            return overtaken;
        }
        await transactions.EnterAsync(ct).ConfigureAwait(false);
        try
        {
            var result = await DecideAsync(plan, ct).ConfigureAwait(false);
            if (result is CommitResult.Done)
            {
                _recent.Note(plan.Commit);
            }
            return result;
        }
        finally
        {
            transactions.Exit();
        }
    }

    private async Task<CommitResult> DecideAsync(CommitPlan plan, CancellationToken ct)
    {
        // The log's end is asked for beside the work: only commits without rows of their own need it.
        var end = plan.JournalRows == 0 ? sequences.LastAsync(ct) : null;
        var ticket = new Ticket();
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                var outcome = await attempts.TryAsync(plan, ticket, ct).ConfigureAwait(false);
                switch (outcome)
                {
                    case Outcome.Committed:
                        return new CommitResult.Done(end is null ? ticket.Last : await end.ConfigureAwait(false));
                    case Outcome.Matched(var condition, var key):
                        return new CommitResult.MatchFound(condition, key);
                    case Outcome.Overtaken when await FindConflictAsync(plan, ct).ConfigureAwait(false) is { } conflict:
                        return conflict;
                    case Outcome.Unknown(var why):
                        if (await DidCommitAsync(plan, ticket, why, ct).ConfigureAwait(false))
                        {
                            return new CommitResult.Done(end is null ? ticket.Last : await end.ConfigureAwait(false));
                        }
                        break;
                    default:
                        break;
                }
                if (outcome is Outcome.NumbersTaken or Outcome.Unknown)
                {
                    await journal.VoidAsync(ticket.First, ticket.End, ct).ConfigureAwait(false);
                    ticket.Forget();
                }
                await Task.Delay(Pause(attempt), ct).ConfigureAwait(false);
            }
        }
        finally
        {
            _ = end?.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            await TidyAsync(ticket).ConfigureAwait(false);
        }
    }

    /// <summary>Rows of the log's numbers that this commit took and did not use: readers would wait for them.</summary>
    private async Task TidyAsync(Ticket ticket)
    {
        if (ticket.IsUsed || ticket.IsEmpty)
        {
            return;
        }
        try
        {
            using var soon = new CancellationTokenSource(ForTidying);
            await journal.VoidAsync(ticket.First, ticket.End, soon.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is MongoException or OperationCanceledException or TimeoutException or IOException)
        {
            // Readers close the gap themselves after a while.
        }
    }

    private async Task<CommitResult?> FindConflictAsync(CommitPlan plan, CancellationToken ct) =>
        plan.Keys.IsEmpty ? null : plan.ConflictIn(await records.VersionsAsync(plan.Keys, ct).ConfigureAwait(false));

    /// <summary>Settles a commit whose answer was lost. Where the journal cannot tell, nobody is told that it failed.</summary>
    private async Task<bool> DidCommitAsync(CommitPlan plan, Ticket ticket, Exception why, CancellationToken ct)
    {
        if (!ticket.IsEmpty)
        {
            // Takes the commit's first number away unless it has it: afterwards the transaction can no longer succeed.
            ticket.IsUsed = await journal.DecideAsync(ticket.First, plan.Id, ct).ConfigureAwait(false);
            return ticket.IsUsed;
        }
        if (plan.Commit.Writes.IsEmpty && plan.Commit.Removals.IsEmpty)
        {
            return true; // its conditions held, and there was nothing to write
        }
        if (!plan.Commit.Writes.IsEmpty && await records.IsOfCommitAsync(plan.Commit.Writes[0].Record.Key, plan.Id, ct).ConfigureAwait(false))
        {
            return true;
        }
        throw Attempts.Unsettled(why);
    }

    private static TimeSpan Pause(int attempt)
    {
        var most = Math.Min(5 << Math.Min(attempt, 6), 200);
        return TimeSpan.FromMilliseconds(Random.Shared.Next(1, most + 1));
    }
}

/// <summary>The numbers a commit has taken for its journal rows. They are kept over attempts, so that an attempt that failed leaves no gap.</summary>
internal sealed class Ticket
{
    public long First { get; private set; }

    public long End { get; private set; }

    public long Last => End - 1;

    public bool IsEmpty => End == 0;

    public bool IsUsed { get; set; }

    public void Hold(long first, int count) => (First, End) = (first, first + count);

    public void Forget() => (First, End) = (0, 0);
}

/// <summary>How one attempt ended.</summary>
internal abstract record Outcome
{
    private Outcome()
    {
    }

    public sealed record Committed : Outcome;

    /// <summary>Nothing was written, and another attempt may go better.</summary>
    public sealed record Again : Outcome;

    /// <summary>Nothing was written: a record does not stand at the version expected.</summary>
    public sealed record Overtaken : Outcome;

    /// <summary>Nothing was written: a condition found a record.</summary>
    public sealed record Matched(RecordCondition.NoneMatch Condition, FhirCore.ResourceKey Key) : Outcome;

    /// <summary>Nothing was written: a reader gave up a number of this commit.</summary>
    public sealed record NumbersTaken : Outcome;

    /// <summary>The answer to the commit was lost.</summary>
    public sealed record Unknown(Exception Why) : Outcome;
}
