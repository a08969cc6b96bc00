using System.Text;
using FhirCore.Events;
using FhirCore.Pacing;
using FhirCore.Records;
using FhirStore.Events;
using FhirStore.Leases;

namespace Events.Contract;

/// <summary>The log on the outbox, over any store; its processes find out by leases which of them follows.</summary>
/// <param name="stores">The same data; processes take one after the other, as far as they go.</param>
public sealed class OutboxHouse(IReadOnlyList<IRecordStore> stores, Func<ValueTask> close) : EventHouse
{
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(0.9);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    public override IRecordStore Store => stores[0];

    public override async Task<IReadOnlyList<string>> SetAsideAsync(string group)
    {
        var page = await Store.QueryAsync(new(DeadEventRecord.RecordType, Predicate.Everything, RecordOrder.ById, null, 1000), default);
        return [.. page.Records.Where(record => record.Partition == group).Select(record => Encoding.ASCII.GetString(record.Body.Span).Split(' ')[0])];
    }

    protected override IRecordStore StoreOf(int process) => stores[process % stores.Count];

    protected override EventProcess Open(ProcessStore store, ChangeSignal signal, EventTally tally)
    {
        var jobs = new LeasedJobs(store, new(Runs: true, SoleProcess: false, LeaseTime), TimeProvider.System);
        return new(new OutboxEventLog(store, jobs, signal, Poll, BackgroundPace.Free, tally, TimeProvider.System), store, signal, tally, () => default);
    }

    protected override ValueTask CloseAsync() => close();
}
