using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;

namespace Events.Contract;

/// <summary>
/// A handler whose effects can be counted: for each type and partition one record with a line for each event, written in the commit
/// that moves the batch's progress.
/// </summary>
/// <param name="store">The way of the process that the handler runs in.</param>
public sealed class Ledger(IRecordStore store, string name = "ledger") : IEventHandler
{
    private readonly string _type = $"_{name}";
    private readonly ConcurrentDictionary<string, bool> _atWork = new(StringComparer.Ordinal);

    /// <summary>Before anything is read or written.</summary>
    public Func<EventBatch, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>After the commit, before the log is told.</summary>
    public Action<EventBatch> After { get; set; } = _ => { };

    /// <summary>False leaves it to the log to write the progress afterwards.</summary>
    public bool CommitsProgress { get; init; } = true;

    public ConcurrentQueue<EventBatch> Batches { get; } = new();

    public async Task HandleAsync(EventBatch batch, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Assert.True(_atWork.TryAdd(batch.Lane, true), $"Two batches of the lane {batch.Lane} at once.");
        try
        {
            await Before(batch, ct);
            Batches.Enqueue(batch);
            var writes = ImmutableArray.CreateBuilder<RecordWrite>();
            if (CommitsProgress)
            {
                writes.Add(batch.Progress);
            }
            foreach (var group in batch.Events.GroupBy(PageOf))
            {
                var key = new ResourceKey(_type, group.Key);
                var page = await store.GetAsync(key, default);
                var body = new StringBuilder(page is null ? "" : Encoding.UTF8.GetString(page.Body.Span));
                foreach (var told in group)
                {
                    body.Append(Line(told)).Append('\n');
                }
                var version = page?.Version ?? 0;
                writes.Add(new(new() { Key = key, Version = version + 1, LastUpdated = group.First().Change.At, Partition = group.Key, Body = Encoding.UTF8.GetBytes(body.ToString()) }, version, false, "ledger"));
            }
            if (await store.CommitAsync(new(writes.ToImmutable(), [], []), default) is not CommitResult.Done)
            {
                throw new LaneLostException(batch.Lane);
            }
            After(batch);
            if (CommitsProgress)
            {
                batch.Committed();
            }
        }
        finally
        {
            _atWork.TryRemove(batch.Lane, out _);
        }
    }

    /// <summary>How an event is entered: everything of it that is promised.</summary>
    public static string Line(ResourceEvent told)
    {
        ArgumentNullException.ThrowIfNull(told);
        var version = told.Version;
        Assert.True(version is null || (version.Key, version.Version, version.LastUpdated, version.Deleted, version.Partition, version.Index.Block.IsEmpty)
            == (told.Change.Key, told.Change.Version, told.Change.At, told.Change.Deleted, told.Change.Partition, true), $"{told.Id} comes with another version.");
        return $"{told.Change.Sequence} {told.Id} {told.Change.At:O} {told.Change.Deleted} {told.Change.Cause} {(version is null ? "gone" : Convert.ToHexString(version.Body.Span))}";
    }

    public static string PageOf(ResourceEvent told)
    {
        ArgumentNullException.ThrowIfNull(told);
        return $"{told.Change.Key.Type}.{told.Change.Partition}";
    }

    /// <returns>Page → lines, as the store has them.</returns>
    public async Task<IReadOnlyDictionary<string, string[]>> ReadAsync(IRecordStore from)
    {
        ArgumentNullException.ThrowIfNull(from);
        var page = await from.QueryAsync(new(_type, Predicate.Everything, RecordOrder.ById, null, 10_000), default);
        return page.Records.ToDictionary(r => r.Key.Id, r => Encoding.UTF8.GetString(r.Body.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries), StringComparer.Ordinal);
    }
}
