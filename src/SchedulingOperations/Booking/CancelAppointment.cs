using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using SchedulingOperations.Wire;

namespace SchedulingOperations.Booking;

/// <summary><c>$cancel</c> with reason and comment; what it held is free again in the same commit.</summary>
internal sealed class CancelAppointment(OperationRunner runner, SchedulingOptions options)
{
    public async Task<Outcome<SchedulingReply>> RunAsync(SchedulingCall call, CancellationToken ct)
    {
        if (!OperationInput.Read(call).TryGet(out var input, out var failure)
            || !input.Single("reason").TryGet(out var reason, out failure) && failure is not null
            || !input.Single("comment").TryGet(out var comment, out failure) && failure is not null)
        {
            return failure;
        }
        if (input.RefuseOthers("$cancel", "reason", "comment", "appointment-reference") is { } unknown)
        {
            return unknown;
        }
        if (!Target.Read(call, input).TryGet(out var key, out failure))
        {
            return failure;
        }
        JsonElement? why = null;
        if (reason is { } given)
        {
            if (given.Value.ValueKind != JsonValueKind.Object)
            {
                return Refusals.Malformed("reason is a CodeableConcept.", given.Expression, "structure");
            }
            why = given.Value;
        }
        if (comment?.Text is { } text && text.Length > options.MaxTextLength)
        {
            return Refusals.Rule($"comment is longer than {options.MaxTextLength} characters.", comment.Value.Expression, "text-too-long");
        }
        return await runner.RunAsync(call, call.Dialect == SchedulingDialect.Ihe, async (desk, _, token) =>
        {
            if (!(await Target.ReadAsync(call, key, desk, token)).TryGet(out var stored, out var missing))
            {
                return missing;
            }
            return await Cancellation.CancelAsync(
                desk, stored, why is { } concept ? JsonObject.Create(concept) : null, comment?.Text is { } said ? json => json["comment"] = said : null, token);
        }, ct);
    }
}
