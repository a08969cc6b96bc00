using FhirCore.Records;
using Storage.Contract;

namespace Storage.MongoDb.Tests;

public sealed class StoreCopyTests : StoreCopyContract
{
    private readonly List<TestDatabase> _databases = [];

    protected override int Samples => 4;

    protected override async ValueTask<IRecordStore> OpenAsync(int number)
    {
        _databases.Add(new());
        return await _databases[^1].OpenAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var database in _databases)
        {
            await database.DisposeAsync();
        }
    }
}
