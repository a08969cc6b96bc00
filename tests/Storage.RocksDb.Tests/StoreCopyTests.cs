using System.Globalization;
using FhirCore.Records;
using Storage.Contract;

namespace Storage.RocksDb.Tests;

public sealed class StoreCopyTests : StoreCopyContract
{
    private readonly TemporaryFolder _folder = new();

    protected override ValueTask<IRecordStore> OpenAsync(int number) =>
        new(RocksDbRecordStore.Open(new() { Directory = _folder.Sub(number.ToString(CultureInfo.InvariantCulture)), CacheBytes = 2 << 20, WriteBufferBytes = 1 << 20 }, TimeProvider.System));

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>Damage in the files themselves, and between the rows that the engine keeps twice.</summary>
public sealed class StoreDamageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task BitFlippedAnywhereInASortedFile_IsDamageAndNeverAnotherAnswer()
    {
        var (directory, expected) = (_folder.Sub("store"), "");
        await using (var store = Open(directory))
        {
            for (var batch = 0; batch < 30; batch++)
            {
                await store.CommitAsync(A.Commit([.. Enumerable.Range(0, 100).Select(i => A.Write(A.Record(A.Key($"p{batch}-{i}"), body: new string((char)('a' + (i % 26)), 1000))))]), default);
            }
            expected = await DigestAsync(store);
        }
        var file = new DirectoryInfo(directory).EnumerateFiles("*.sst").MaxBy(f => f.Length)!.FullName;
        var whole = await File.ReadAllBytesAsync(file);
        var found = 0;
        for (var part = 0; part < 12; part++)
        {
            var bytes = (byte[])whole.Clone();
            bytes[whole.Length / 12 * part + 17] ^= 1;
            await File.WriteAllBytesAsync(file, bytes);
            try
            {
                await using var store = Open(directory);
                Assert.Equal(expected, await DigestAsync(store)); // a bit that nobody reads: padding, statistics
            }
            catch (StoreCorruptException)
            {
                found++;
            }
        }
        Assert.InRange(found, 8, 12);
    }

    [Fact]
    public async Task IndexRowThatIsNotItsRecords_IsADisagreement()
    {
        await using var store = Open(_folder.Sub("store"));
        await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), index: A.Entries((A.Name, "one")))), A.Write(A.Record(A.Key("b"), index: A.Entries((A.Name, "two"))))), default);
        Assert.Empty(await DisagreementsAsync(store));
        await store.WriteAsync([new StoreRow.Current(A.Record(A.Key("a"), index: A.Entries((A.Name, "two"))), 1)], default);
        var found = Assert.Single(await DisagreementsAsync(store)); // the row of its former entry is still there
        Assert.Equal(A.Key("a"), found.Key);
    }

    [Fact]
    public async Task OldRowPutBack_IsRefusedByTheNextCommit_WhichLeavesOthersAlone()
    {
        await using var store = Open(_folder.Sub("store"));
        var first = A.Record(A.Key("a"));
        await store.CommitAsync(A.Commit(A.Write(first)), default);
        await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), 2))), default);
        await store.WriteAsync([new StoreRow.Current(first, 1), new StoreRow.Journal(new(1, first.Key, 1, first.LastUpdated, false, first.Partition, "create"), first)], default);
        await Assert.ThrowsAsync<StoreCorruptException>(() => store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("a"), 2))), default));
        await Assert.ThrowsAsync<StoreCorruptException>(async () => await store.HistoryAsync(new("Patient", null, null, null, 10), default));
        Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("b")))), default));
    }

    public void Dispose() => _folder.Dispose();

    private static RocksDbRecordStore Open(string directory) => RocksDbRecordStore.Open(new() { Directory = directory, CacheBytes = 2 << 20, WriteBufferBytes = 1 << 20 }, TimeProvider.System);

    private static async Task<string> DigestAsync(RocksDbRecordStore store)
    {
        var digest = new StoreDigest();
        await foreach (var row in store.ReadAsync(StorePosition.Start, default))
        {
            digest.Add(row);
        }
        return digest.ToString();
    }

    private static async Task<List<StoreDisagreement>> DisagreementsAsync(RocksDbRecordStore store)
    {
        var found = new List<StoreDisagreement>();
        await foreach (var one in store.DisagreementsAsync(default))
        {
            found.Add(one);
        }
        return found;
    }
}

public sealed class InMemoryStoreCopyTests : StoreCopyContract
{
    protected override ValueTask<IRecordStore> OpenAsync(int number) => new(new InMemoryRecordStore());
}
