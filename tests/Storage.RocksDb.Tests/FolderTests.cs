using FhirCore.Records;
using Storage.Contract;

namespace Storage.RocksDb.Tests;

public sealed class FolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private RocksDbRecordStore Open(string name = "store") => RocksDbRecordStore.Open(new() { Directory = _folder.Sub(name) }, TimeProvider.System);

    [Fact]
    public async Task OpenedTwiceInOneProcess_TheSecondIsToldWhere()
    {
        await using var store = Open();
        var refused = Assert.Throws<StoreUnavailableException>(() => Open());
        Assert.Contains(_folder.Sub("store"), refused.Message, StringComparison.Ordinal);
        Assert.Contains($"process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
        await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a")))), default);
    }

    [Fact]
    public async Task OpenInAnotherProcess_IsToldWhereAndByWhom()
    {
        using (var owner = Child.Start(Child.Owner, _folder.Sub("store")))
        {
            Assert.Equal("open", await owner.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
            var refused = Assert.Throws<StoreUnavailableException>(() => Open());
            Assert.Contains(_folder.Sub("store"), refused.Message, StringComparison.Ordinal);
            Assert.Contains($"process {owner.Id}", refused.Message, StringComparison.Ordinal);
            owner.StandardInput.Close();
            await owner.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        await using var store = Open();
    }

    [Fact]
    public async Task Backup_TakenWhileOthersCommit_OpensAsAWholeStore()
    {
        var backup = _folder.Sub("backups/first");
        long before;
        await using (var store = Open())
        {
            for (var i = 0; i < 20; i++)
            {
                await store.CommitAsync(Child.Pair("before", i), default);
            }
            before = (await store.ReadChangesAsync(0, 1000, default)).Count;
            using var stop = new CancellationTokenSource();
            var writing = Task.Run(async () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    await store.CommitAsync(Child.Pair("during", i), default);
                }
            });
            await store.BackUpAsync(backup, default);
            await stop.CancelAsync();
            await writing;
            var refused = await Assert.ThrowsAsync<StoreUnavailableException>(() => store.BackUpAsync(backup, default));
            Assert.Contains("exists already", refused.Message, StringComparison.Ordinal);
            await store.CommitAsync(Child.Pair("after", 0), default);
        }

        RocksDbRecordStore.Restore(backup, _folder.Sub("restored"));
        await using var restored = Open("restored");
        for (var i = 0; i < 20; i++)
        {
            Assert.NotNull(await restored.GetAsync(A.Key($"before-{i}-left"), default));
        }
        Assert.Null(await restored.GetAsync(A.Key("after-0-left"), default));
        var all = await restored.QueryAsync(new("Patient", Predicate.Everything, default, null, 10_000), default);
        Assert.Equal(0, all.Records.Count % 2);
        Assert.True((await restored.ReadChangesAsync(0, 10_000, default)).Count >= before);
        Assert.IsType<CommitResult.Done>(await restored.CommitAsync(Child.Pair("life", 1), default));
    }

    [Fact]
    public async Task Restore_TargetInUseOrNoBackup_IsRefused()
    {
        var backup = _folder.Sub("backup");
        await using (var store = Open())
        {
            await store.CommitAsync(Child.Pair("p", 1), default);
            await store.BackUpAsync(backup, default);
        }
        Assert.Contains("is not empty", Assert.Throws<StoreUnavailableException>(() => RocksDbRecordStore.Restore(backup, _folder.Sub("store"))).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder.Sub("nothing"));
        Assert.Contains("no whole backup", Assert.Throws<StoreUnavailableException>(() => RocksDbRecordStore.Restore(_folder.Sub("nothing"), _folder.Sub("new"))).Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(backup, "STORE-FORMAT"));
        Assert.Throws<StoreUnavailableException>(() => RocksDbRecordStore.Restore(backup, _folder.Sub("new")));
    }

    [Fact]
    public async Task Open_FolderOfAnotherFormat_IsRefused()
    {
        await using (Open())
        {
        }
        File.WriteAllText(_folder.Sub("store/STORE-FORMAT"), "fhir-record-store 2\n");
        var newer = Assert.Throws<StoreUnavailableException>(() => Open());
        Assert.Contains("format 2", newer.Message, StringComparison.Ordinal);
        File.WriteAllText(_folder.Sub("store/STORE-FORMAT"), "something else\n");
        Assert.Throws<StoreUnavailableException>(() => Open());
    }

    [Fact]
    public void Open_FolderOfSomethingElse_IsRefusedAndLeftAsItIs()
    {
        Directory.CreateDirectory(_folder.Sub("letters"));
        File.WriteAllText(_folder.Sub("letters/to-a-friend.txt"), "Hello");
        var refused = Assert.Throws<StoreUnavailableException>(() => Open("letters"));
        Assert.Contains(_folder.Sub("letters"), refused.Message, StringComparison.Ordinal);
        Assert.Equal([_folder.Sub("letters/to-a-friend.txt")], Directory.GetFileSystemEntries(_folder.Sub("letters")));
    }

    [Fact]
    public void Open_FolderThatIsAFile_IsRefused()
    {
        File.WriteAllText(_folder.Sub("file"), "Hello");
        Assert.Throws<StoreUnavailableException>(() => Open("file"));
    }

    [Theory]
    [InlineData("", 64, 32)]
    [InlineData("x", 16, 32)]
    [InlineData("x", 64, 0)]
    public void Open_OptionsThatCannotWork_Throws(string directory, long cacheMegabytes, long bufferMegabytes) =>
        Assert.Throws<ArgumentException>(() => RocksDbRecordStore.Open(
            new() { Directory = directory.Length == 0 ? "" : _folder.Sub(directory), CacheBytes = cacheMegabytes << 20, WriteBufferBytes = bufferMegabytes << 20 }, TimeProvider.System));
}
