using FhirCore;
using FhirStore;
using FhirStore.Indexing;
using FhirStore.Search;
using FhirStore.Writing;
using SchedulingOperations.Booking;

namespace SchedulingOperations.PlainWrites;

/// <summary>
/// Makes plain writes of Appointment and Slot obey the rules of the operations, in whatever way they came: REST, a transaction,
/// an import. What an operation has planned itself is vouched for and passes.
/// </summary>
public sealed class SchedulingRule : IWriteRule
{
    private readonly Func<ResourceStore> _store;
    private readonly OperationalFields _fields;
    private readonly SchedulingOptions _options;
    private readonly SearchOptions _search;
    private readonly TimeProvider _clock;
    private Desks? _desks;

    /// <param name="store">Asked for on the first write of an Appointment or Slot: the store is made with its rules, this one among them.</param>
    public SchedulingRule(Func<ResourceStore> store, OperationalFields fields, SearchOptions search, SchedulingOptions options, TimeProvider clock) =>
        (_store, _fields, _search, _options, _clock) = (store, fields, search, options, clock);

    public ValueTask<FhirFailure?> ApplyAsync(WritePlan plan, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(plan);
        foreach (var write in plan.Writes)
        {
            if (!write.Vouched && write.Key.Type is "Appointment" or "Slot")
            {
                return ApplyRulesAsync(plan, ct);
            }
        }
        return ValueTask.FromResult<FhirFailure?>(null);
    }

    private async ValueTask<FhirFailure?> ApplyRulesAsync(WritePlan plan, CancellationToken ct)
    {
        _desks ??= new(new(_store(), _fields), _options, _search.BaseUrl, _clock);
        var desk = _desks.Open(plan);
        var appointments = new List<AppointmentWrite>();
        var slots = new List<PlannedWrite>();
        foreach (var write in plan.Writes)
        {
            if (write.Vouched)
            {
                continue;
            }
            if (write.Key.Type == "Appointment")
            {
                appointments.Add(new(write));
            }
            else if (write.Key.Type == "Slot")
            {
                slots.Add(write);
            }
        }
        // All that is given back comes first, so that one transaction can move appointments around.
        foreach (var appointment in appointments)
        {
            if (appointment.Check() is { } wrong)
            {
                return wrong.At(appointment.Write.Location);
            }
            await appointment.GiveBackAsync(desk, ct);
        }
        foreach (var slot in slots)
        {
            if (await SlotWrite.CheckAsync(slot, desk, ct) is { } wrong)
            {
                return wrong.At(slot.Location);
            }
        }
        foreach (var appointment in appointments)
        {
            if (await appointment.TakeAsync(desk, ct) is { } wrong)
            {
                return wrong.At(appointment.Write.Location);
            }
        }
        await desk.Slots.WriteAsync(ct);
        return null;
    }
}
