namespace Storage.RocksDb.Native;

/// <summary>
/// When sorted files are put together. While commits come in masses they gather, since few large compactions cost least and requests need
/// the cores; once it is calm they are put together soon, so that queries look into few files.
/// </summary>
internal sealed class CompactionPace : IDisposable
{
    /// <summary>Young files at which a compaction begins, while much is written.</summary>
    public const int FilesInARush = 12;

    /// <summary>The same when it is calm: a file alone has nothing to be put together with.</summary>
    public const int FilesAtRest = 2;

    /// <summary>Some two hundred bookings a second.</summary>
    private const long RushBytes = 2 << 20;

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CalmAfter = TimeSpan.FromSeconds(15);

    private readonly EngineHolder _engines;
    private readonly Func<long> _written;
    private readonly TimeProvider _clock;
    private readonly ITimer _timer;
    private Engine? _atRest;
    private long _before;
    private long _lastRush;

    /// <param name="written">Bytes of commits so far.</param>
    public CompactionPace(EngineHolder engines, Func<long> written, TimeProvider clock)
    {
        (_engines, _written, _clock) = (engines, written, clock);
        _lastRush = clock.GetTimestamp();
        _timer = clock.CreateTimer(static state => ((CompactionPace)state!).Adapt(), this, Look, Look);
    }

    public void Dispose() => _timer.Dispose();

    private void Adapt()
    {
        var written = _written();
        var isRush = written - _before >= RushBytes;
        _before = written;
        if (isRush)
        {
            _lastRush = _clock.GetTimestamp();
        }
        var engine = _engines.Current.Engine;
        if (isRush && ReferenceEquals(_atRest, engine))
        {
            _atRest = Set(engine, FilesInARush) ? null : engine;
        }
        else if (!ReferenceEquals(_atRest, engine) && _clock.GetElapsedTime(_lastRush) >= CalmAfter)
        {
            _atRest = Set(engine, FilesAtRest) ? engine : null;
        }
    }

    /// <summary>Where it does not come to it, it is tried again in a second.</summary>
    private static bool Set(Engine engine, int files) => engine.TryKeepHouse(open => open.SetCompactionTrigger(files));
}
