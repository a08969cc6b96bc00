using FhirCore;
using FhirCore.Records;
using FhirStore;
using FhirStore.Indexing;
using FhirStore.Slots;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>Range questions on the operational index fields of Slot and Appointment.</summary>
internal sealed class SlotQueries(ResourceStore store, OperationalFields fields, FreeSlots? freeSlots = null)
{
    private const int TokenLength = 16;
    private static readonly byte[] EarliestTime = new byte[SortableTime.Length];
    private const int MostSlots = 10_000;

    /// <summary>Appointments that hold the slot now: their status takes time and they name it.</summary>
    public async ValueTask<IReadOnlyList<StoredResource>> HoldersOfAsync(ResourceKey slot, CancellationToken ct)
    {
        var where = new Predicate.EqualTo(OperationalFields.AppointmentSlot, fields.ReferenceToken(slot.ToString()));
        return (await store.QueryAsync(new("Appointment", where, RecordOrder.ById, null, 20), ct)).Resources;
    }

    public byte[] ScheduleToken(string schedule) => fields.ReferenceToken(schedule);

    /// <summary>Slots of a schedule in one status that start in the range, by start.</summary>
    /// <param name="from">Included.</param>
    /// <param name="to">Excluded.</param>
    public async ValueTask<IReadOnlyList<StoredResource>> SlotsAsync(
        ReadOnlyMemory<byte> scheduleToken, SlotStatus status, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        var where = new Predicate.Between(OperationalFields.SlotScheduleStatusStart, Value(scheduleToken, status, from), Value(scheduleToken, status, to));
        return (await store.QueryAsync(new("Slot", where, new(OperationalFields.SlotScheduleStatusStart, false), null, MostSlots), ct)).Resources;
    }

    /// <summary>As <see cref="SlotsAsync"/> for free slots, for those who only show them: from what is kept at hand where that is as good.</summary>
    public async ValueTask<IReadOnlyList<StoredResource>> FreeSlotsAsync(ReadOnlyMemory<byte> scheduleToken, DateTimeOffset from, DateTimeOffset to, CancellationToken ct) =>
        freeSlots is not null && await freeSlots.ListAsync(scheduleToken, from, to, MostSlots, ct) is { } kept
            ? kept
            : await SlotsAsync(scheduleToken, SlotStatus.Free, from, to, ct);

    /// <summary>Free slots of the schedule that touch the range's ends: they end where it starts, or start where it ends.</summary>
    public async ValueTask<IReadOnlyList<StoredResource>> FreeNeighboursAsync(string schedule, TimeRange span, TimeSpan furthest, CancellationToken ct)
    {
        var token = fields.ReferenceToken(schedule);
        var where = new Predicate.AnyOf([
            new Predicate.Between(OperationalFields.SlotScheduleStatusStart, Value(token, SlotStatus.Free, span.End), Value(token, SlotStatus.Free, span.End.AddMicroseconds(1))),
            new Predicate.AllOf([
                new Predicate.Between(OperationalFields.SlotScheduleStatusStart, Value(token, SlotStatus.Free, span.Start - furthest), Value(token, SlotStatus.Free, span.Start)),
                new Predicate.EqualTo(OperationalFields.End, SortableTime.Encode(span.Start)),
            ]),
        ]);
        return (await store.QueryAsync(new("Slot", where, RecordOrder.ById, null, 100), ct)).Resources;
    }

    /// <summary>Appointments that take the actor's time somewhere in the range.</summary>
    /// <remarks>The end is asked for as a negation: an engine then never weighs the ends of all appointments against the actor's few starts.</remarks>
    public Predicate TakesTimeOf(string actor, TimeRange span)
    {
        var token = fields.ReferenceToken(actor);
        return new Predicate.AllOf([
            new Predicate.Between(OperationalFields.AppointmentActorStart, Value(token, span.Start - OperationalFields.ActorStep), Value(token, span.End)),
            new Predicate.Not(new Predicate.Between(OperationalFields.End, EarliestTime, SortableTime.Encode(span.Start.AddMicroseconds(1)))),
        ]);
    }

    public async ValueTask<IReadOnlyList<StoredResource>> AppointmentsOfAsync(string actor, TimeRange span, CancellationToken ct) =>
        (await store.QueryAsync(new("Appointment", TakesTimeOf(actor, span), RecordOrder.ById, null, MostSlots), ct)).Resources;

    private static byte[] Value(ReadOnlyMemory<byte> token, SlotStatus status, DateTimeOffset start) =>
        OperationalFields.ScheduleStatusStart(token.Span, OperationalFields.SlotStatusByte(status.Code()), start.UtcTicks / TimeSpan.TicksPerMicrosecond);

    private static byte[] Value(ReadOnlyMemory<byte> token, DateTimeOffset start)
    {
        var value = new byte[TokenLength + SortableTime.Length];
        token.Span.CopyTo(value);
        SortableTime.Write(start, value.AsSpan(TokenLength));
        return value;
    }
}
