using FhirCore.Records;
using Storage.Contract;

namespace Storage.RocksDb.Tests;

public sealed class DurabilityTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private RocksDbRecordStore Open(string? directory = null, bool dropDamagedLog = false) =>
        RocksDbRecordStore.Open(new() { Directory = directory ?? _folder.Sub("store"), DropDamagedLog = dropDamagedLog }, TimeProvider.System);

    [Fact]
    public async Task Killed_WhileManyCommit_EveryAcknowledgedCommitIsThereAndWhole()
    {
        var acknowledged = new HashSet<string>();
        for (var round = 0; round < 5; round++)
        {
            using (var writer = Child.Start(Child.Writer, _folder.Sub("store")))
            {
                var enough = acknowledged.Count + 40 + (round * 60);
                while (acknowledged.Count < enough && await writer.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
                {
                    acknowledged.Add(line);
                }
                writer.Kill();
                while (await writer.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
                {
                    acknowledged.Add(line);
                }
                await writer.WaitForExitAsync(TestContext.Current.CancellationToken);
            }
            await using var store = Open();
            await EveryPairIsWholeAsync(store, acknowledged);
        }
    }

    private static async Task EveryPairIsWholeAsync(RocksDbRecordStore store, HashSet<string> acknowledged)
    {
        foreach (var pair in acknowledged)
        {
            Assert.NotNull(await store.GetAsync(A.Key(pair + "-left"), default));
            Assert.NotNull(await store.GetAsync(A.Key(pair + "-right"), default));
        }
        var found = new List<StoredRecord>();
        for (RecordCursor? after = null; ;)
        {
            var page = await store.QueryAsync(new("Patient", Predicate.Everything, default, after, 1000), default);
            found.AddRange(page.Records);
            if ((after = page.Next) is null)
            {
                break;
            }
        }
        Assert.True(found.Count >= 2 * acknowledged.Count);
        Assert.All(found.GroupBy(r => r.Key.Id[..r.Key.Id.LastIndexOf('-')]), pair => Assert.Equal(2, pair.Count()));
        Assert.Equal(found.Count, await store.CountAsync("Patient", new Predicate.Present(A.Name), long.MaxValue, default));
        Assert.Equal(found.Count, await store.CountAsync("Patient", Predicate.Everything, long.MaxValue, default));
        var changes = await store.ReadChangesAsync(0, int.MaxValue, default);
        Assert.Equal(found.Count, changes.Count);
        Assert.Equal(found.Select(r => r.Key).Order(), changes.Select(c => c.Key).Order());
        Assert.Equal(changes.Select(c => c.Sequence).Order(), changes.Select(c => c.Sequence));
    }

    [Fact]
    public async Task Reopened_EverythingIsThere()
    {
        long sequence;
        await using (var store = Open())
        {
            await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), index: A.Entries((A.Name, "xx"))))), default);
            await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("s", "Slot"))), A.Write(A.Record(A.Key("a"), 2, "two", A.Entries((A.Name, "yy"))))), default);
            await store.CommitAsync(A.Commit(A.Internal(A.Record(A.Key("t", "_token")))), default);
            sequence = (await store.ReadChangesAsync(0, 10, default))[^1].Sequence;
        }
        await using (var store = Open())
        {
            Assert.Equal(2, (await store.GetAsync(A.Key("a"), default))!.Version);
            Assert.NotNull(await store.GetAsync(A.Key("t", "_token"), default));
            Assert.NotNull(await store.GetVersionAsync(A.Key("a"), 1, default));
            Assert.Equal(1, await store.CountAsync("Patient", A.Is(A.Name, "yy"), 10, default));
            Assert.Equal(0, await store.CountAsync("Patient", A.Is(A.Name, "xx"), 10, default));
            Assert.Equal(3, (await store.HistoryAsync(new(null, null, null, null, 10), default)).Versions.Count);
            var done = Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("n", "Practitioner")))), default));
            Assert.True(done.Sequence > sequence);
            Assert.NotNull(await store.GetAsync(A.Key("s", "Slot"), default));
        }
    }

    [Fact]
    public async Task Disposed_TheWaitingCommitsAreWrittenAndFurtherUseIsRefused()
    {
        var store = Open();
        var waiting = Enumerable.Range(0, 50).Select(i => store.CommitAsync(A.Commit(A.Write(A.Record(A.Key($"p{i}")))), default)).ToList();
        await store.DisposeAsync();
        Assert.All(await Task.WhenAll(waiting), r => Assert.IsType<CommitResult.Done>(r));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.GetAsync(A.Key("p0"), default));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.QueryAsync(new("Patient", Predicate.Everything, default, null, 1), default));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("late")))), default));
        await store.DisposeAsync();
        await using var again = Open();
        Assert.Equal(50, await again.CountAsync("Patient", Predicate.Everything, 100, default));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(1_500)]
    public async Task LogCutShort_AllButTheUnfinishedCommitIsThere(int cut)
    {
        await CrashAfterTenAsync();
        var log = Logs().Single(f => f.Length > 0);
        using (var file = log.Open(FileMode.Open))
        {
            file.SetLength(file.Length - cut);
        }
        await using var again = Open();
        Assert.Equal(18, await again.CountAsync("Patient", Predicate.Everything, 100, default));
        Assert.NotNull(await again.GetAsync(A.Key("p-8-right"), default));
        Assert.Null(await again.GetAsync(A.Key("p-9-left"), default));
        Assert.IsType<CommitResult.Done>(await again.CommitAsync(Child.Pair("p", 9), default));
    }

    [Fact]
    public async Task LogDamagedInTheMiddle_IsRefusedUntilToldToDropIt()
    {
        await CrashAfterTenAsync();
        var log = Logs().Single(f => f.Length > 0);
        Flip(log.FullName, log.Length / 2);
        Assert.Throws<StoreCorruptException>(() => Open());
        await using var again = Open(dropDamagedLog: true);
        var left = await again.CountAsync("Patient", Predicate.Everything, 100, default);
        Assert.InRange(left, 2, 18);
        Assert.Equal(0, left % 2);
    }

    [Fact]
    public async Task FlippedByteInARow_IsToldAndNeverServed()
    {
        var backup = _folder.Sub("backup");
        await using (var store = Open())
        {
            for (var i = 0; i < 200; i++)
            {
                await store.CommitAsync(Child.Pair("p", i), default);
            }
            await store.BackUpAsync(backup, default); // writes everything out into sorted files
        }
        var data = new DirectoryInfo(backup).EnumerateFiles("*.sst").MaxBy(f => f.Length)!; // the records with their bodies
        var (told, served) = (0, 0);
        for (var place = 1; place <= 5; place++)
        {
            var damaged = _folder.Sub($"damaged{place}");
            RocksDbRecordStore.Restore(backup, damaged);
            Flip(Path.Combine(damaged, data.Name), data.Length * place / 7);
            await using var store = Open(damaged);
            for (var i = 0; i < 200; i++)
            {
                try
                {
                    var record = await store.GetAsync(A.Key($"p-{i}-left"), default);
                    Assert.True(record!.Body.Span.SequenceEqual(A.Value(new string('l', 900))));
                    served++;
                }
                catch (StoreCorruptException)
                {
                    told++;
                }
            }
            await Assert.ThrowsAsync<StoreCorruptException>(async () => await store.QueryAsync(new("Patient", A.Not(A.Is(A.Name, "none")), default, null, 1000), default));
        }
        Assert.True(told > 0 && served > told);
    }

    [Fact]
    public async Task DiskFull_CommitsAreRefusedAndPassAgainWhenThereIsRoom()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Limits file sizes with setrlimit.");
        using var child = Child.Start(Child.Limited, _folder.Sub("store"));
        var lines = (await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["refused", "ill", "well", "again"], lines.Take(4));
        await using var store = Open();
        for (var i = 0; i < int.Parse(lines[4]); i++)
        {
            Assert.NotNull(await store.GetAsync(A.Key($"limited-{i}-left"), default));
        }
        var all = await store.QueryAsync(new("Patient", Predicate.Everything, default, null, 10_000), default);
        Assert.Equal(0, all.Records.Count % 2);
        Assert.Contains(all.Records, r => r.Key.Id.StartsWith("again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Closed_LeavesNothingToReplay()
    {
        await CrashAfterTenAsync();
        Assert.NotEqual(0, Logs().Sum(log => log.Length));
        await Open().DisposeAsync();
        Assert.Equal(0, Logs().Sum(log => log.Length));
        await using var again = Open();
        Assert.Equal(20, await again.CountAsync("Patient", Predicate.Everything, 100, default));
    }

    /// <summary>Ten pairs, and the folder as a process leaves it that does not come to close its store.</summary>
    private async Task CrashAfterTenAsync()
    {
        var (open, left) = (_folder.Sub("open"), Directory.CreateDirectory(_folder.Sub("store")).FullName);
        await using var store = Open(open);
        for (var i = 0; i < 10; i++)
        {
            await store.CommitAsync(Child.Pair("p", i), default);
        }
        foreach (var file in Directory.EnumerateFiles(open))
        {
            File.Copy(file, Path.Combine(left, Path.GetFileName(file)));
        }
    }

    private IEnumerable<FileInfo> Logs() => new DirectoryInfo(_folder.Sub("store")).EnumerateFiles("*.log");

    private static void Flip(string path, long place)
    {
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = place;
        var value = file.ReadByte();
        file.Position = place;
        file.WriteByte((byte)(value ^ 0x10));
    }
}
