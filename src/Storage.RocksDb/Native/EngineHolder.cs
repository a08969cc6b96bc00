using FhirCore.Records;
using Storage.RocksDb.Rows;

namespace Storage.RocksDb.Native;

/// <summary>
/// The engine in use. After a failed write RocksDB refuses all further ones, so the next commit closes and opens it again:
/// a disk that is full no more, or back, needs no restart of the process. Reads go on meanwhile as long as they can.
/// </summary>
internal sealed class EngineHolder(RocksDbOptions options, TimeProvider clock, Action<string>? notice) : IDisposable
{
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PatienceWithReaders = TimeSpan.FromSeconds(30);

    private volatile Open _current = OpenEngine(options);
    private Exception? _broken;
    private long _lastAttempt;

    /// <summary>An engine and the record types its rows know.</summary>
    public sealed record Open(Engine Engine, TypeNumbers Types);

    public Open Current => _current;

    /// <summary>The last write failed, and none has been tried since.</summary>
    public bool IsBroken => Volatile.Read(ref _broken) is not null;

    public static StoreUnavailableException Closed() => new("The store is closed or being opened again.");

    /// <summary>The engine for the next batch, opened again after a failure. For the commit loop only.</summary>
    /// <param name="reopened">Told of the new engine before it is used.</param>
    /// <exception cref="StoreUnavailableException">It cannot be opened yet.</exception>
    public Open ForWriting(Action<Engine> reopened)
    {
        if (_broken is null)
        {
            return _current;
        }
        if (clock.GetElapsedTime(_lastAttempt) < BetweenAttempts)
        {
            throw new StoreUnavailableException("The store cannot write: " + _broken.Message, _broken);
        }
        _lastAttempt = clock.GetTimestamp();
        _current.Engine.Retire();
        if (!_current.Engine.Closed.Wait(PatienceWithReaders))
        {
            throw new StoreUnavailableException("The store cannot write, and is still being read: " + _broken.Message, _broken);
        }
        var next = OpenEngine(options);
        reopened(next.Engine);
        _current = next;
        _broken = null;
        notice?.Invoke($"The store in {options.Directory} writes again.");
        return next;
    }

    /// <summary>A batch failed: it is unknown whether it will be there when the engine is opened again, so no caller is told that it is.</summary>
    public void ReportBroken(Exception why)
    {
        _broken = why;
        _lastAttempt = clock.GetTimestamp();
        notice?.Invoke($"The store in {options.Directory} failed to write: {why.Message}");
    }

    public void Publish(TypeNumbers types)
    {
        if (_current.Types != types)
        {
            _current = _current with { Types = types };
        }
    }

    public void Dispose() => _current.Engine.Retire();

    private static Open OpenEngine(RocksDbOptions options)
    {
        var engine = Engine.Open(options);
        try
        {
            return new(engine, TypeNumbers.Read(engine));
        }
        catch
        {
            engine.Retire();
            throw;
        }
    }
}
