using System.Collections.Immutable;
using Confluent.Kafka;
using Events.Kafka.Messages;
using Events.Kafka.Topics;
using FhirCore.Events;
using FhirCore.Records;

namespace Events.Kafka.Following;

/// <summary>
/// One partition of a topic as a lane of a group. Where it stands says the store, not Kafka; repetitions are told by their sequence; and what
/// Kafka no longer has comes out of the change log (docs/decisions/0131, 0132).
/// </summary>
internal sealed class Lane
{
    private const long MostBytes = 4 << 20;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>What came to nothing moves the progress after <see cref="LaneRunner.LazyRows"/>, or so long.</summary>
    internal static readonly TimeSpan LazyTime = TimeSpan.FromSeconds(5);

    /// <summary>How far clocks of processes and brokers may differ where a place is looked for by time.</summary>
    private static readonly TimeSpan ClockMargin = TimeSpan.FromMinutes(10);

    private readonly EventGroup _group;
    private readonly LaneContext _context;
    private readonly Member _member;
    private readonly EventLane _lane;
    private readonly LaneRunner _runner;
    private readonly CancellationTokenSource _ending;
    private readonly Task _running;

    private long _handled; // everything up to this sequence
    private long _moved; // timestamp: the progress said all of it then
    private bool _mayMiss; // what comes next may have predecessors that Kafka no longer has
    private long _next = -1; // offset
    private long _end = -1;
    private long _oldest; // ticks; 0 where nothing waits

    public Lane(EventGroup group, LaneContext context, Member member, TopicPartition partition, CancellationToken stopping)
    {
        _group = group;
        _context = context;
        _member = member;
        Partition = partition;
        _lane = new(partition.Topic[context.Options.TopicPrefix.Length..], partition.Partition.Value, context.Options.Partitions);
        _runner = new(context.Records, group, _lane.ToString(), context.Handler, context.SetAside, context.Events, context.Clock);
        Seat = new(partition, group.MostEvents, MostBytes, context.Clock);
        _ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _running = Task.Run(RunAsync, CancellationToken.None);
    }

    public TopicPartition Partition { get; }

    public Seat Seat { get; }

    public LaneLag Lag
    {
        get
        {
            var (next, end, waiting) = (Volatile.Read(ref _next), Volatile.Read(ref _end), Seat.Arrivals.Count);
            var events = Math.Max(end < 0 || next < 0 ? waiting : end - next, waiting);
            var oldest = Volatile.Read(ref _oldest);
            var behind = oldest == 0 ? TimeSpan.Zero : _context.Clock.GetUtcNow() - new DateTimeOffset(oldest, TimeSpan.Zero);
            return oldest != 0 ? new(_lane.ToString(), Math.Max(events, 1), behind > TimeSpan.Zero ? behind : TimeSpan.Zero) : new(_lane.ToString(), Math.Max(events, 0), TimeSpan.Zero);
        }
    }

    /// <param name="end">Offset that the next message will get; negative where it is not known.</param>
    public void KnowEnd(long end) => Volatile.Write(ref _end, end);

    /// <summary>It goes to another member, or this one stops. The task ends with the handler that is at work.</summary>
    public Task End()
    {
        _ending.Cancel();
        return _running;
    }

    private async Task RunAsync()
    {
        var ct = _ending.Token;
        var pause = FirstPause;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await OpenAsync(ct).ConfigureAwait(false);
                while (await StepAsync(ct).ConfigureAwait(false))
                {
                    pause = FirstPause;
                }
            }
            catch (LaneLostException)
            {
                // Somebody else moved its progress: it is asked again where it stands.
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                break;
            }
            catch (Exception error)
            {
                _context.Events?.Failed(_group.Name, _lane.ToString(), error is KafkaException ? new StoreUnavailableException("Kafka does not answer.") : error);
                await Task.Delay(pause, _context.Clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
            }
        }
    }

    private async Task OpenAsync(CancellationToken ct)
    {
        var topic = await _context.Topics.OpenAsync(Partition.Topic, null, ct).ConfigureAwait(false);
        var progress = await _runner.OpenAsync(ct).ConfigureAwait(false);
        var all = await EventProgress.ReadAsync(_context.Records, EventProgress.KeyOf(_group.Name, EventProgress.AllLanes), ct).ConfigureAwait(false);
        _runner.Origin = topic.Origin;
        _handled = Math.Max(progress.Sequence, all.Sequence);
        _mayMiss = false;
        _moved = _context.Clock.GetTimestamp();
        Volatile.Write(ref _oldest, 0);
        if (progress.Offset > 0 && progress.Origin == topic.Origin)
        {
            await PlaceAsync(progress.Offset, ct).ConfigureAwait(false);
            return;
        }
        var since = _group.Start == EventStart.Now && progress.Version == 0 && all.Version == 1 ? all.At - ClockMargin : (DateTimeOffset?)null;
        await SearchPlaceAsync(topic, since, ct).ConfigureAwait(false);
    }

    /// <summary>Where there is no offset that holds: at the beginning of what Kafka has, and before that from the change log.</summary>
    /// <param name="since">Nothing that was published before concerns the group.</param>
    private async Task SearchPlaceAsync(TopicEntry topic, DateTimeOffset? since, CancellationToken ct)
    {
        var (low, high) = await _context.Admin.ExtentAsync(Partition).WaitAsync(ct).ConfigureAwait(false);
        if (_handled < topic.Since)
        {
            await CatchUpAsync(topic.Since, ct).ConfigureAwait(false);
        }
        _mayMiss = low > 0;
        if (_mayMiss && low == high)
        {
            var published = (await EventProgress.ReadAsync(_context.Records, TopicBook.RelayKey, ct).ConfigureAwait(false)).Sequence;
            await CatchUpAsync(published, ct).ConfigureAwait(false);
        }
        var start = since is not { } time ? low : await _context.Admin.OffsetAtAsync(Partition, time).WaitAsync(ct).ConfigureAwait(false) ?? high;
        await PlaceAsync(Math.Max(start, low), ct).ConfigureAwait(false);
    }

    private Task PlaceAsync(long offset, CancellationToken ct)
    {
        var placed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _member.Wish(this, Place);
        return placed.Task.WaitAsync(ct);

        void Place(IConsumer<byte[], byte[]> consumer)
        {
            try
            {
                if (!_member.IsHandingOver && Seat.TryPlace(consumer, offset))
                {
                    Volatile.Write(ref _next, offset);
                    placed.TrySetResult();
                }
                else
                {
                    _member.Wish(this, Place);
                }
            }
            catch (KafkaException error)
            {
                placed.TrySetException(error);
            }
        }
    }

    /// <returns>False where the place was lost: another is to be found.</returns>
    private async Task<bool> StepAsync(CancellationToken ct)
    {
        var owes = OwesProgress;
        var wait = owes ? LazyTime - _context.Clock.GetElapsedTime(_moved) : Timeout.InfiniteTimeSpan;
        if (!await Seat.Arrivals.WaitAsync(wait, _context.Clock, ct).ConfigureAwait(false))
        {
            await MoveAsync(ct).ConfigureAwait(false);
            return true;
        }
        if (!owes)
        {
            _moved = _context.Clock.GetTimestamp();
        }
        if (Seat.Arrivals.Take() is not { } results)
        {
            _context.Topics.Forget();
            var topic = await _context.Topics.OpenAsync(Partition.Topic, null, ct).ConfigureAwait(false);
            if (topic.Origin != _runner.Origin)
            {
                return false; // another topic: opened anew
            }
            await SearchPlaceAsync(topic, null, ct).ConfigureAwait(false);
            return true;
        }
        var events = await ReadAsync(results, ct).ConfigureAwait(false);
        if (events.Length > 0)
        {
            var last = events[^1];
            Volatile.Write(ref _oldest, events[0].Event.Change.At.UtcTicks);
            await _runner.RunAsync(events, last.Event.Change.Sequence, last.Offset, ct).ConfigureAwait(false);
            _handled = last.Event.Change.Sequence;
            Volatile.Write(ref _oldest, 0);
        }
        Handled(results[^1].Offset.Value + 1);
        if (OwesProgress && _context.Clock.GetElapsedTime(_moved) >= LazyTime)
        {
            await MoveAsync(ct).ConfigureAwait(false);
        }
        return true;
    }

    /// <summary>
    /// Whether messages were gone past that the progress does not know of: they concerned nobody, were repetitions, or not this server's. While
    /// some of before may be missing it must not say so: an offset that holds stands for everything before it.
    /// </summary>
    private bool OwesProgress => !_mayMiss && Volatile.Read(ref _next) != _runner.Progress.Offset;

    private async Task MoveAsync(CancellationToken ct)
    {
        await _runner.RunAsync([], _handled, Volatile.Read(ref _next), ct).ConfigureAwait(false);
        _moved = _context.Clock.GetTimestamp();
    }

    /// <summary>What of it is new to the group.</summary>
    private async Task<ImmutableArray<PlacedEvent>> ReadAsync(IReadOnlyList<ConsumeResult<byte[], byte[]>> results, CancellationToken ct)
    {
        var timeline = (await _context.Topics.TimelineAsync(ct).ConfigureAwait(false)).Name;
        var events = ImmutableArray.CreateBuilder<PlacedEvent>(results.Count);
        var handled = _handled;
        foreach (var result in results)
        {
            if (EventMessage.Read(result.Message) is not { } read)
            {
                _context.Kafka?.Unreadable(result.Topic, result.Partition.Value, result.Offset.Value);
                continue;
            }
            if (read.Source != timeline)
            {
                continue; // of another database, or of this one before it was restored
            }
            var sequence = read.Told.Change.Sequence;
            if (_mayMiss)
            {
                await CatchUpAsync(sequence - 1, ct).ConfigureAwait(false);
                handled = _handled;
                _mayMiss = false;
            }
            if (sequence > handled)
            {
                events.Add(new(read.IsInStore ? await FromStoreAsync(read.Told.Change, ct).ConfigureAwait(false) : read.Told, result.Offset.Value + 1));
                handled = sequence;
            }
        }
        return events.ToImmutable();
    }

    /// <summary>Events that are not in Kafka any more, up to a sequence.</summary>
    private async Task CatchUpAsync(long upTo, CancellationToken ct)
    {
        const int rows = 1_000;
        var (found, from) = (0, _handled);
        while (_handled < upTo)
        {
            var changes = await _context.Records.ReadChangesAsync(_handled, rows, ct).ConfigureAwait(false);
            var events = ImmutableArray.CreateBuilder<PlacedEvent>();
            foreach (var change in changes)
            {
                if (change.Sequence <= upTo && EventLane.TopicOf(change.Key.Type) == _lane.Topic && EventLane.NumberOf(change.Partition, _lane.Of) == _lane.Number)
                {
                    events.Add(new(await FromStoreAsync(change, ct).ConfigureAwait(false), 0));
                }
            }
            var end = changes.Count == 0 ? upTo : Math.Min(upTo, changes[^1].Sequence);
            foreach (var batch in events.Chunk(_group.MostEvents))
            {
                await _runner.RunAsync([.. batch], batch[^1].Event.Change.Sequence, 0, ct).ConfigureAwait(false);
            }
            (found, _handled) = (found + events.Count, end);
        }
        if (_handled > from && (found > 0 || _handled - from >= rows))
        {
            await _runner.RunAsync([], _handled, 0, ct).ConfigureAwait(false);
            _context.Kafka?.CaughtUp(_group.Name, _lane.ToString(), found);
        }
    }

    private async Task<ResourceEvent> FromStoreAsync(ChangeRow change, CancellationToken ct)
    {
        var version = await _context.Records.GetVersionAsync(change.Key, change.Version, ct).ConfigureAwait(false);
        return new(change, version is null ? null : version with { Index = IndexEntries.None });
    }

    private void Handled(long next)
    {
        Volatile.Write(ref _next, next);
        _member.Wish(this, consumer =>
        {
            try
            {
                consumer.StoreOffset(new TopicPartitionOffset(Partition, next)); // for whoever watches Kafka's own offsets
            }
            catch (KafkaException)
            {
                // The partition is being taken away.
            }
            Seat.ResumeWhereThereIsRoom(consumer);
        });
    }
}
