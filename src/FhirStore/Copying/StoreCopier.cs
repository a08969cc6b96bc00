using FhirCore.Records;

namespace FhirStore.Copying;

/// <summary>A copy cannot begin or go on; the message says why and what to do.</summary>
public sealed class CopyRefusedException(string message) : Exception(message);

/// <summary>What a copy is doing now.</summary>
/// <param name="Rows">Done so far; of earlier runs too.</param>
/// <param name="About">How many there are, about.</param>
public readonly record struct CopyProgress(string Doing, long Rows, long About);

/// <summary>What the verification found.</summary>
/// <param name="Copied">As they were read while they were copied.</param>
/// <param name="Source">As they are in the source now.</param>
/// <param name="Target">As they are in the target now.</param>
/// <param name="LogMoved">The source's log grew while it was copied.</param>
public sealed record CopyReport(RowSums Copied, RowSums Source, RowSums Target, bool LogMoved)
{
    public bool SourceChanged => LogMoved || !Copied.SameAs(Source);

    public bool IsGood => !SourceChanged && Source.SameAs(Target);
}

/// <summary>
/// Copies everything of one store into an empty one, as it is: ciphertext, index entries, history, change log. Nothing is opened, so
/// no key is needed; the key file of the source opens the copy. Killed at any moment, it goes on where it stopped.
/// </summary>
public sealed class StoreCopier(IRecordStore source, IRecordStore target, TimeProvider clock)
{
    private const int BatchRows = 1000;
    private const int BatchBytes = 4 << 20;

    private readonly IStoreCopy _from = Rows(source);
    private readonly IStoreCopy _to = Rows(target);

    /// <param name="tell">Called now and then, from one thread at a time.</param>
    /// <returns>What was found at the end. Where it is not good, the target keeps its mark: no server starts on it.</returns>
    /// <exception cref="CopyRefusedException">The source is empty, the target is not, or the source changed since an earlier run.</exception>
    public async Task<CopyReport> RunAsync(Action<CopyProgress> tell, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(tell);
        var extent = await _from.MeasureAsync(ct);
        var mark = await BeginAsync(extent, ct);
        var copied = new RowSums { Journal = StoreDigest.Parse(mark.Journal), Records = StoreDigest.Parse(mark.Records) };
        var about = extent.Journal + extent.Records;
        await CopyAsync(mark, copied, rows => tell(new("Copying", rows, about)), ct);
        var report = await VerifyAsync(copied, extent.LogEnd, rows => tell(new("Verifying", rows, 2 * copied.Rows)), ct);
        if (report.IsGood)
        {
            await EndAsync(extent, ct);
        }
        return report;
    }

    private async Task EndAsync(StoreExtent extent, CancellationToken ct)
    {
        var noteGaps = !extent.IsGapless && await target.GetAsync(IStoreCopy.GapsKey, ct) is null;
        var now = Milliseconds(clock.GetUtcNow());
        var gaps = new StoredRecord { Key = IStoreCopy.GapsKey, Version = 1, LastUpdated = now, Partition = IStoreCopy.GapsKey.Id, Body = "The sequences of this store have gaps."u8.ToArray() };
        await target.CommitAsync(new(noteGaps ? [new(gaps, 0, Journal: false, "copy")] : [], [], [IStoreCopy.MarkKey]), ct);
    }

    private static IStoreCopy Rows(IRecordStore store) =>
        store as IStoreCopy ?? throw new ArgumentException($"{store.GetType().Name} cannot be copied.", nameof(store));

    private async Task<CopyMark> BeginAsync(StoreExtent extent, CancellationToken ct)
    {
        if (await source.GetAsync(IStoreCopy.MarkKey, ct) is not null)
        {
            throw new CopyRefusedException("The source is itself an unfinished copy. Finish that one first.");
        }
        if (await FirstAsync(_from, ct) is not { } first)
        {
            throw new CopyRefusedException("The source is empty: there is nothing to copy.");
        }
        var name = new StoreDigest();
        name.Add(first);
        if (await target.GetAsync(IStoreCopy.MarkKey, ct) is { } record)
        {
            var mark = CopyMark.Read(record);
            return mark.Source != name.ToString() ? throw new CopyRefusedException("The target holds an unfinished copy of another store. Name an empty target.")
                : mark.LogEnd != extent.LogEnd ? throw new CopyRefusedException("The source has changed since this copy began. Keep the server stopped, empty the target, and copy again.")
                : mark;
        }
        if (await FirstAsync(_to, ct) is not null)
        {
            throw new CopyRefusedException("The target is not empty. Name an empty one; a copy never overwrites.");
        }
        var begun = new CopyMark(name.ToString(), extent.LogEnd, StorePosition.Start, new StoreDigest().ToString(), new StoreDigest().ToString(), Milliseconds(clock.GetUtcNow()));
        await _to.WriteAsync([begun.Row], ct); // before any row, so that rows are never there without it
        return begun;
    }

    /// <summary>The next batch is read while one is written.</summary>
    private async Task CopyAsync(CopyMark mark, RowSums copied, Action<long> tell, CancellationToken ct)
    {
        var batch = new List<StoreRow>();
        var bytes = 0L;
        var writing = Task.CompletedTask;
        try
        {
            await foreach (var row in _from.ReadAsync(mark.Position, ct))
            {
                copied.Add(row);
                batch.Add(row);
                bytes += Size(row);
                if (batch.Count == BatchRows || bytes >= BatchBytes)
                {
                    await SendAsync();
                }
            }
            await SendAsync();
        }
        finally
        {
            await writing; // also when reading fails: nobody writes behind our back
        }

        async Task SendAsync()
        {
            await writing;
            tell(copied.Rows);
            if (batch.Count > 0)
            {
                mark = mark with { Position = batch[^1].Position, Journal = copied.Journal.ToString(), Records = copied.Records.ToString() };
                StoreRow[] rows = [.. batch, mark.Row];
                writing = Task.Run(() => _to.WriteAsync(rows, ct), ct);
                batch.Clear();
                bytes = 0;
            }
        }
    }

    private async Task<CopyReport> VerifyAsync(RowSums copied, long logEnd, Action<long> tell, CancellationToken ct)
    {
        var done = 0L;
        var gate = new Lock();
        var sums = await Task.WhenAll(Task.Run(() => SumAsync(_from), ct), Task.Run(() => SumAsync(_to), ct));
        return new(copied, sums[0], sums[1], (await _from.MeasureAsync(ct)).LogEnd != logEnd);

        async Task<RowSums> SumAsync(IStoreCopy store)
        {
            var sum = new RowSums();
            await foreach (var row in store.ReadAsync(StorePosition.Start, ct))
            {
                sum.Add(row);
                if (sum.Rows % BatchRows == 0)
                {
                    lock (gate)
                    {
                        tell(done += BatchRows);
                    }
                }
            }
            return sum;
        }
    }

    private static async Task<StoreRow?> FirstAsync(IStoreCopy store, CancellationToken ct)
    {
        await foreach (var row in store.ReadAsync(StorePosition.Start, ct))
        {
            return row;
        }
        return null;
    }

    private static long Size(StoreRow row) => row switch
    {
        StoreRow.Journal { Version: { } version } => version.Body.Length,
        StoreRow.Current { Record: var record } => record.Body.Length + (2 * record.Index.Block.Length),
        _ => 0,
    };

    private static DateTimeOffset Milliseconds(DateTimeOffset instant) => instant.AddTicks(-(instant.UtcTicks % TimeSpan.TicksPerMillisecond));
}
