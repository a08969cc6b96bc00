using FhirCore.Records;
using FhirStore;
using FhirStore.Indexing;
using FhirStore.Search;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>Ends holds whose time is over: the appointment is cancelled, its slots are free, the change log says <c>hold-expired</c>.</summary>
/// <remarks>Needs no memory of its own, so a restart loses nothing: what is held, and until when, stands in the store.</remarks>
public sealed class HoldExpiry
{
    private const int BatchSize = 200;
    private readonly ResourceStore _store;
    private readonly Desks _desks;
    private readonly BookingProvenance _provenance;
    private readonly TimeProvider _clock;

    public HoldExpiry(ResourceStore store, OperationalFields fields, SearchOptions search, SchedulingOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(search);
        (_store, _clock) = (store, clock);
        _desks = new(new(store, fields), options, search.BaseUrl, clock);
        _provenance = new(options, search.BaseUrl, clock);
    }

    /// <returns>How many holds were ended. A hold booked in the meantime is left alone.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var ended = 0;
        RecordCursor? after = null;
        do
        {
            var over = new Predicate.Between(
                OperationalFields.AppointmentHoldUntil, new byte[SortableTime.Length], SortableTime.Encode(_clock.GetUtcNow().AddMicroseconds(1)));
            var page = await _store.QueryAsync(new("Appointment", over, RecordOrder.ById, after, BatchSize), ct);
            foreach (var hold in page.Resources)
            {
                var done = await _store.CommitPlanAsync<bool>(async (plan, token) =>
                {
                    var desk = _desks.Open(plan);
                    if (await plan.ReadAsync(hold.Key, token) is not { Deleted: false } current || !desk.IsExpired(current.Appointment()))
                    {
                        return false;
                    }
                    await desk.CancelHoldAsync(current, HoldCauses.Expired, null, token);
                    await desk.Slots.WriteAsync(token);
                    await _provenance.AddAsync(plan, null, token);
                    return true;
                }, ct);
                if (done.TryGet(out var result, out _) && result.Value)
                {
                    ended++;
                }
            }
            after = page.Next;
        }
        while (after is not null);
        return ended;
    }
}
