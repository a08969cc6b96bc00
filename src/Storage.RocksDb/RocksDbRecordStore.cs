using System.Runtime.CompilerServices;
using FhirCore;
using FhirCore.Records;
using Storage.RocksDb.Backups;
using Storage.RocksDb.Copying;
using Storage.RocksDb.Native;
using Storage.RocksDb.Querying;
using Storage.RocksDb.Rows;
using Storage.RocksDb.Writing;

namespace Storage.RocksDb;

/// <summary>The records port on RocksDB, embedded in this process: one folder, one process, one commit loop.</summary>
public sealed class RocksDbRecordStore : IRecordStore, IBackup, IStoreCopy, IStoreSelfCheck, IEngineProbe
{
    private readonly EngineHolder _engines;
    private readonly CommitLoop _commits;
    private readonly CompactionPace _compactions;
    private readonly IWriteListener? _listener;
    private readonly string _directory;
    private int _disposed;

    private RocksDbRecordStore(RocksDbOptions options, EngineHolder engines, TimeProvider clock)
    {
        _directory = options.Directory;
        _listener = options.Listener;
        _engines = engines;
        _commits = new CommitLoop(options, engines);
        _compactions = new CompactionPace(engines, () => _commits.Written, clock);
    }

    /// <summary>Opens the store in the folder, or makes a new one.</summary>
    /// <param name="notice">Told in one line, without data, when the engine fails to write and when it writes again.</param>
    /// <exception cref="StoreUnavailableException">Another process has it open, a newer version wrote it, or the disk refuses.</exception>
    /// <exception cref="StoreCorruptException">Its files are damaged.</exception>
    public static RocksDbRecordStore Open(RocksDbOptions options, TimeProvider clock, Action<string>? notice = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        options.Validate();
        options = options with { Directory = Path.GetFullPath(options.Directory) };
        StoreFolder.Prepare(options.Directory);
        EngineHolder engines;
        try
        {
            engines = new EngineHolder(options, clock, notice);
        }
        catch (StoreUnavailableException e) when (StoreFolder.IsLockRefusal(e))
        {
            throw StoreFolder.InUse(options.Directory, e);
        }
        try
        {
            StoreFolder.WriteOwner(options.Directory);
            return new(options, engines, clock);
        }
        catch
        {
            engines.Dispose(); // or the folder stays locked by a store that nobody has
            throw;
        }
    }

    public ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var (engine, types) = _engines.Current;
        if (!types.TryGet(key.Type, out var type))
        {
            return default;
        }
        Span<byte> buffer = stackalloc byte[RowKeys.TypeLength + RowKeys.MaxId];
        if (!engine.TryEnter())
        {
            throw EngineHolder.Closed();
        }
        StoredRecord? record;
        bool suspect;
        try
        {
            var row = engine.Get(Family.Records, engine.Latest, buffer[..RowKeys.Record(buffer, type, key.Id)]);
            record = row is null ? null : new RecordRow(row).ToRecord(key, row);
            suspect = record is not null && RollbackCheck.MayBeRolledBack(engine, type, key, record.Version);
        }
        finally
        {
            engine.Exit();
        }
        return new(suspect ? GetChecked(key) : record);
    }

    /// <summary>The record and its history in one state.</summary>
    private StoredRecord? GetChecked(ResourceKey key)
    {
        using var view = Freeze(out var types);
        types.TryGet(key.Type, out var type);
        Span<byte> buffer = stackalloc byte[RowKeys.TypeLength + RowKeys.MaxId];
        if (view.Get(Family.Records, buffer[..RowKeys.Record(buffer, type, key.Id)]) is not { } row)
        {
            return null;
        }
        var record = new RecordRow(row).ToRecord(key, row);
        RollbackCheck.Check(view, type, [record]);
        return record;
    }

    public ValueTask<StoredRecord?> GetVersionAsync(ResourceKey key, long version, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        using var view = Freeze(out var types);
        return new(new VersionReader(view, types).Version(key, version));
    }

    public Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(commit);
        ct.ThrowIfCancellationRequested();
        return _commits.CommitAsync(new PreparedCommit(commit, ct), ct);
    }

    public ValueTask<RecordPage> QueryAsync(RecordQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Limit, 10_000);
        ct.ThrowIfCancellationRequested();
        using var view = Freeze(out var types);
        if (!types.TryGet(query.Type, out var type))
        {
            return new(new RecordPage([], null));
        }
        var page = new Queries(view, type, query.Type).Page(query, ct);
        RollbackCheck.Check(view, type, page.Records);
        return new(page);
    }

    public ValueTask<long> CountAsync(string type, Predicate where, long atMost, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(where);
        ct.ThrowIfCancellationRequested();
        using var view = Freeze(out var types);
        return new(atMost > 0 && types.TryGet(type, out var number) ? new Queries(view, number, type).Count(where, atMost, ct) : 0);
    }

    public ValueTask<HistoryPage> HistoryAsync(HistoryQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(query.Limit);
        if (query is { Id: not null, Type: null })
        {
            throw new ArgumentException("The history of a record is asked for by type and id.", nameof(query));
        }
        ct.ThrowIfCancellationRequested();
        using var view = Freeze(out var types);
        var reader = new VersionReader(view, types);
        return new(query is { Type: { } type, Id: { } id } ? reader.OfRecord(new(type, id), query, ct) : reader.OfMany(query.Type, query, ct));
    }

    public ValueTask<IReadOnlyList<ChangeRow>> ReadChangesAsync(long after, int limit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        using var view = Freeze(out var types);
        return new(new VersionReader(view, types).Changes(after, limit, ct));
    }

    public ValueTask<IReadOnlyList<JournalRow>> ReadJournalAsync(long after, int limit, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        using var view = Freeze(out var types);
        var reader = new VersionReader(view, types);
        return new([.. reader.Changes(after, limit, ct).Select(change => new JournalRow(change, reader.Made(change)))]);
    }

    public ValueTask<long> StampAsync(string name, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ct.ThrowIfCancellationRequested();
        return new(_commits.Stamps.Read(name));
    }

    public string Engine => "RocksDB";

    public bool IsRequired => true;

    /// <summary>After a failed write the engine is opened again by the next commit; nobody sends one to a server that says it is not ready, so the question does.</summary>
    public async ValueTask<string?> CheckAsync(CancellationToken ct)
    {
        if (_engines.IsBroken)
        {
            try
            {
                await CommitAsync(new([], [], []), ct).ConfigureAwait(false);
            }
            catch (StoreUnavailableException)
            {
                return "The last write failed, and it cannot be opened for writing again yet.";
            }
        }
        return _engines.Current.Engine.Closed.IsCompleted ? "It is closed." : null;
    }

    /// <exception cref="StoreUnavailableException">The folder exists already, or the disk refuses.</exception>
    public Task BackUpAsync(string directory, CancellationToken ct)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        return Task.Run(() =>
        {
            using var view = Freeze(out _);
            StoreFolder.BackUp(view.Engine, Path.GetFullPath(directory));
        }, ct);
    }

    /// <summary>Makes a store of a backup, in a folder that does not exist or is empty.</summary>
    /// <exception cref="StoreUnavailableException">There is no whole backup, the target is in the way, or the disk refuses.</exception>
    public static void Restore(string backup, string directory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(backup);
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        StoreFolder.Restore(Path.GetFullPath(backup), Path.GetFullPath(directory));
    }

    public ValueTask<StoreExtent> MeasureAsync(CancellationToken ct)
    {
        using var view = Freeze(out _);
        var end = LogEnd.Read(view.Engine).Sequence;
        return new(new StoreExtent(end, end, view.Engine.AboutRows(Family.Records), IsGapless: true));
    }

    public async IAsyncEnumerable<StoreRow> ReadAsync(StorePosition after, [EnumeratorCancellation] CancellationToken ct)
    {
        using var view = Freeze(out var types);
        await foreach (var row in new RowReading(view, types).ReadAsync(after, ct).ConfigureAwait(false))
        {
            yield return row;
        }
    }

    public Task WriteAsync(IReadOnlyList<StoreRow> rows, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ct.ThrowIfCancellationRequested();
        return Task.Run(() =>
        {
            var (engine, types) = _engines.Current;
            using var view = ReadView.Follow(engine) ?? throw EngineHolder.Closed();
            var writing = new RowWriting(engine, types, LogEnd.Read(engine));
            writing.Write(rows);
            _engines.Publish(writing.Types);
            _commits.ForgetEnd();
            _listener?.AnythingWritten();
        }, CancellationToken.None);
    }

    public async IAsyncEnumerable<StoreDisagreement> DisagreementsAsync([EnumeratorCancellation] CancellationToken ct)
    {
        using var view = Freeze(out var types);
        await foreach (var found in new LookupCheck(view, types).RunAsync(ct).ConfigureAwait(false))
        {
            yield return found;
        }
    }

    /// <summary>Writes the commits that wait, then closes the files.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _compactions.Dispose();
            await _commits.StopAsync().ConfigureAwait(false);
            var engine = _engines.Current.Engine;
            await Task.Run(() => engine.TryKeepHouse(static open => open.Flush())).ConfigureAwait(false); // what is not written out is in the log of recent commits
            _engines.Dispose();
            await engine.Closed.ConfigureAwait(false);
            StoreFolder.ForgetOwner(_directory);
        }
    }

    /// <param name="types">Read after the state is frozen, so that it knows every type in it.</param>
    private ReadView Freeze(out TypeNumbers types)
    {
        while (true)
        {
            var current = _engines.Current;
            var view = ReadView.Freeze(current.Engine);
            var now = _engines.Current;
            if (view is not null && now.Engine == current.Engine)
            {
                types = now.Types;
                return view;
            }
            view?.Dispose();
            if (now.Engine == current.Engine)
            {
                throw EngineHolder.Closed();
            }
        }
    }
}
