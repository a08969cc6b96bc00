using System.Collections.Frozen;
using FhirCore.Records;
using Storage.MongoDb.Copying;

namespace Storage.MongoDb;

public sealed partial class MongoDbRecordStore : IStoreCopy, IStoreSelfCheck
{
    private CopiedRows Everything => new(_deployment, new(_options.OrderedFields.ToFrozenSet()), _options.OperationTimeout);

    public ValueTask<StoreExtent> MeasureAsync(CancellationToken ct) => RunAsync(ct, Everything.MeasureAsync);

    public IAsyncEnumerable<StoreRow> ReadAsync(StorePosition after, CancellationToken ct) => Everything.ReadAsync(after, ct);

    public Task WriteAsync(IReadOnlyList<StoreRow> rows, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return RunAsync(ct, async limit =>
        {
            await Everything.WriteAsync(rows, limit).ConfigureAwait(false);
            return true;
        }).AsTask();
    }

    public IAsyncEnumerable<StoreDisagreement> DisagreementsAsync(CancellationToken ct) => Everything.CheckAsync(ct);
}
