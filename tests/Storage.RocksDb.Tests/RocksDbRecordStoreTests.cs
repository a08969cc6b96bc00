using FhirCore.Records;
using Storage.Contract;

namespace Storage.RocksDb.Tests;

public sealed class RocksDbRecordStoreTests : RecordStoreContract
{
    private readonly TemporaryFolder _folder = new();

    protected override ValueTask<IRecordStore> OpenAsync() => new(RocksDbRecordStore.Open(new() { Directory = _folder.Path }, TimeProvider.System));

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>The oracle keeps the contract too, or it would prove nothing.</summary>
public sealed class InMemoryRecordStoreTests : RecordStoreContract
{
    protected override ValueTask<IRecordStore> OpenAsync() => new(new InMemoryRecordStore());

    protected override int Samples => 5;
}
