using FhirCore;
using FhirStore;
using SchedulingOperations.Idempotency;
using SchedulingOperations.Wire;

namespace SchedulingOperations.Booking;

/// <summary>What an operation came to.</summary>
/// <param name="Version">Of the appointment, made by this plan or standing there already.</param>
/// <param name="Status">HTTP status: 201 for a new appointment, 200 for one that was there.</param>
internal readonly record struct Settled(ResourceKey Appointment, long Version, int Status);

/// <summary>Runs an operation as one commit: plan, idempotency record, commit, reply. Tried again when somebody else was faster.</summary>
internal sealed class OperationRunner(ResourceStore store, Desks desks, IdempotencyLedger idempotency, BookingProvenance provenance)
{
    private readonly record struct Answer(Settled Settled, bool AsBundle, bool IsReplay);

    /// <param name="build">Plans; told whether to look for busy actors itself (from the second attempt on).</param>
    public async Task<Outcome<SchedulingReply>> RunAsync(
        SchedulingCall call, bool asBundle, Func<PlanDesk, bool, CancellationToken, ValueTask<Outcome<Settled>>> build, CancellationToken ct)
    {
        var keyed = IdempotencyLedger.Read(call);
        var attempts = 0;
        var done = await store.CommitPlanAsync<Answer>(
            call.Caller,
            async (plan, token) =>
            {
                var recordVersion = 0L;
                if (keyed is not null)
                {
                    (var kept, var refusal, recordVersion) = await idempotency.FindAsync(keyed, token);
                    if (refusal is not null)
                    {
                        return refusal;
                    }
                    if (kept is not null)
                    {
                        return Replayed(kept);
                    }
                }
                var desk = desks.Open(plan);
                if (!(await build(desk, attempts++ > 0, token)).TryGet(out var settled, out var failure))
                {
                    // What stands in the way may be this very call, sent twice, its twin having been faster since we looked.
                    return keyed is not null && (await idempotency.FindAsync(keyed, token)).Answer is { } twin ? Replayed(twin) : failure;
                }
                if (plan.Find(settled.Appointment) is { } written)
                {
                    written.AskedFor = call.UseOf(settled);
                }
                await desk.Slots.WriteAsync(token);
                await provenance.AddAsync(plan, call, token);
                if (keyed is not null)
                {
                    plan.InternalWrites.Add(idempotency.Keep(keyed, new(settled.Appointment.Id, settled.Version, settled.Status, asBundle), recordVersion));
                }
                return new Answer(settled, asBundle, IsReplay: false);
            },
            ct);
        if (!done.TryGet(out var result, out var refused))
        {
            return refused;
        }
        var answer = result.Value;
        if (!result.Written.TryGetValue(answer.Settled.Appointment, out var appointment))
        {
            appointment = await store.ReadVersionAsync(answer.Settled.Appointment, answer.Settled.Version, ct)
                ?? throw new InvalidOperationException($"{answer.Settled.Appointment} has no version {answer.Settled.Version} although it was answered with it.");
        }
        return Replies.Appointment(call, appointment, answer.Settled.Status, answer.AsBundle, answer.IsReplay);
    }

    private static Answer Replayed(KeptAnswer kept) => new(new(new("Appointment", kept.AppointmentId), kept.Version, kept.Status), kept.AsBundle, IsReplay: true);
}
