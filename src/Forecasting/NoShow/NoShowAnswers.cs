using FhirCore;
using FhirStore.Access;
using Forecasting.Serving;
using Forecasting.Wire;

namespace Forecasting.NoShow;

/// <summary>The operations about visits that may be missed.</summary>
internal sealed class NoShowAnswers(LoadDirectory directory, LoadAnswers load, NoShowRisk risk, OverbookingAnswers overbooking, WaitlistAnswers waitlist, NoShowOptions options)
{
    /// <summary><c>Appointment/[id]/$no-show-risk</c>.</summary>
    public async Task<Outcome<ReadOnlyMemory<byte>>> RiskAsync(LoadCall call, IReadOnlyList<OperationInput> inputs, CancellationToken ct)
    {
        if (new InputReader("$no-show-risk", inputs, []).Failure is { } failure)
        {
            return failure;
        }
        var key = new ResourceKey(call.Type, call.Id!);
        if (await directory.ReadAsync(key, ct) is not { } appointment || call.Caller?.Reach(Use.Read, call.Type).Admits(appointment.Resource) is false)
        {
            return FhirFailure.Of(FailureKind.NotFound, $"{key} does not exist.");
        }
        if (await risk.AnswerAsync(appointment.Resource, ct) is { } answer)
        {
            return NoShowParameters.Write(key, answer);
        }
        var model = await risk.ModelAsync(ct);
        return FhirFailure.Of(FailureKind.Unprocessable,
            !options.NoShowRisk ? "This server does not estimate the risk of missed visits (Forecasting:NoShowRisk)."
            : model is null ? "There is no estimate of the risk of missed visits yet: nothing has been learned so far."
            : model is { Refused: { } why } ? $"There is no estimate of the risk of missed visits yet. {why}"
            : "The risk is of a booked appointment that lies ahead and names a patient.",
            model is { IsServing: true } ? "Appointment" : null, model is { IsServing: true } ? "business-rule" : "not-supported");
    }

    /// <summary><c>Schedule/[id]/$overbooking</c>.</summary>
    public async Task<Outcome<ReadOnlyMemory<byte>>> OverbookAsync(LoadCall call, IReadOnlyList<OperationInput> inputs, CancellationToken ct)
    {
        if (!OverbookingQuestion.Read(inputs, options).TryGet(out var question, out var failure)
            || !(await load.SubjectsAsync(call, ct)).TryGet(out var subjects, out failure))
        {
            return failure;
        }
        return NoShowParameters.Write(subjects[0].Schedules[0], await overbooking.RunAsync(subjects[0], question, ct), question.Limit, await risk.ModelAsync(ct));
    }

    /// <summary><c>Schedule/[id]/$waitlist</c>: appointments, so only those that the caller may see.</summary>
    public async Task<Outcome<ReadOnlyMemory<byte>>> WaitAsync(LoadCall call, IReadOnlyList<OperationInput> inputs, string baseUrl, CancellationToken ct)
    {
        if (!WaitlistQuestion.Read(inputs).TryGet(out var question, out var failure))
        {
            return failure;
        }
        var key = new ResourceKey(call.Type, call.Id!);
        return await directory.ReadAsync(key, ct) is { } schedule && call.Caller?.Reach(Use.Read, call.Type).Admits(schedule.Resource) is not false
            ? NoShowParameters.Write(await waitlist.RunAsync(schedule, question, call.Caller, ct), baseUrl)
            : FhirFailure.Of(FailureKind.NotFound, $"{key} does not exist.");
    }
}
