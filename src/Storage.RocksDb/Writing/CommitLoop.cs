using System.Threading.Channels;
using FhirCore.Records;
using Storage.RocksDb.Native;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Writing;

/// <summary>
/// The one writer of a store, on a thread of its own since it waits for the disk. It takes all commits that wait, writes those
/// that pass their conditions as one synced batch, and only then tells their callers.
/// </summary>
internal sealed class CommitLoop
{
    private const int MostCommits = 512;
    private const int MostBytes = 8 << 20;

    private readonly Channel<PreparedCommit> _waiting;
    private readonly EngineHolder _engines;
    private readonly IWriteListener? _listener;
    private readonly CommitBatch _batch = new();
    private readonly List<PreparedCommit> _taken = new(MostCommits);
    private readonly Thread _thread;
    private LogEnd _end;
    private volatile bool _mustReread;
    private long _written;

    public CommitLoop(RocksDbOptions options, EngineHolder engines)
    {
        _engines = engines;
        _listener = options.Listener;
        _end = LogEnd.Read(engines.Current.Engine);
        _waiting = Channel.CreateBounded<PreparedCommit>(new BoundedChannelOptions(options.MaxWaitingCommits) { SingleReader = true });
        _thread = new Thread(Run) { IsBackground = true, Name = "record commits" };
        _thread.Start();
    }

    public Stamps Stamps { get; } = new();

    /// <summary>Bytes of all commits since the start.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <exception cref="StoreUnavailableException">The store is closed.</exception>
    public async Task<CommitResult> CommitAsync(PreparedCommit commit, CancellationToken ct)
    {
        if (!_waiting.Writer.TryWrite(commit))
        {
            try
            {
                await _waiting.Writer.WriteAsync(commit, ct).ConfigureAwait(false);
            }
            catch (ChannelClosedException)
            {
                throw EngineHolder.Closed();
            }
        }
        return await (ct.CanBeCanceled ? commit.Result.WaitAsync(ct) : commit.Result).ConfigureAwait(false);
    }

    /// <summary>Rows were written past the loop: it looks where the log ends before the next commit.</summary>
    public void ForgetEnd() => _mustReread = true;

    /// <summary>Writes what waits and ends.</summary>
    public Task StopAsync()
    {
        _waiting.Writer.TryComplete();
        return Task.Run(_thread.Join);
    }

    private void Run()
    {
        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            _taken.Clear();
            try
            {
                WriteWaiting();
                foreach (var commit in _taken)
                {
                    if (commit.Verdict is CommitResult.Done)
                    {
                        Stamps.Move(commit.Stamps);
                    }
                    commit.Complete();
                }
            }
            catch (Exception e)
            {
                FailWaiting(e);
            }
        }
    }

    private void WriteWaiting()
    {
        var (engine, types) = _engines.ForWriting(Reread);
        if (_mustReread)
        {
            _mustReread = false;
            Reread(engine);
        }
        using var view = ReadView.Follow(engine) ?? throw EngineHolder.Closed();
        _batch.Begin(view, types, _end.Sequence, _end.Latest);
        while (_taken.Count < MostCommits && _batch.Length < MostBytes && _waiting.Reader.TryRead(out var commit))
        {
            Take(commit);
        }
        if (_batch.IsEmpty)
        {
            return;
        }
        _engines.Publish(_batch.Types); // before its rows can be seen, so that no reader meets a type it does not know
        try
        {
            engine.Write(_batch.Bytes);
        }
        catch (Exception e)
        {
            _engines.ReportBroken(e);
            _listener?.AnythingWritten();
            throw;
        }
        Volatile.Write(ref _written, _written + _batch.Length);
        if (_listener is not null)
        {
            _batch.TellWritten(_listener);
        }
        _end = new(_batch.Sequence, _batch.Latest);
    }

    private void Take(PreparedCommit commit)
    {
        if (commit.Cancellation.IsCancellationRequested)
        {
            commit.Cancel();
            return;
        }
        try
        {
            commit.Verdict = _batch.Add(commit);
            _taken.Add(commit);
        }
        catch (Exception e) // of this commit alone: a damaged row, a predicate that throws
        {
            commit.Fail(e);
        }
    }

    /// <summary>The batch did not reach the disk, so nothing of it is told: neither success nor a refusal that rests on it.</summary>
    private void FailWaiting(Exception cause)
    {
        var why = cause is StoreUnavailableException or StoreCorruptException ? cause : new StoreUnavailableException("A commit could not be written.", cause);
        while (_taken.Count == 0 && _waiting.Reader.TryRead(out var commit))
        {
            commit.Fail(why);
        }
        foreach (var commit in _taken)
        {
            commit.Fail(why);
        }
    }

    private void Reread(Engine engine)
    {
        _end = LogEnd.Read(engine);
        _listener?.AnythingWritten();
    }
}
