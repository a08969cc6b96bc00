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

public sealed class InMemoryStoreCopyTests : StoreCopyContract
{
    protected override ValueTask<IRecordStore> OpenAsync(int number) => new(new InMemoryRecordStore());
}
