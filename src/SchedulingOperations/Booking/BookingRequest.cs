using System.Text.Json;
using FhirCore;
using SchedulingOperations.Finding;
using SchedulingOperations.Views;
using SchedulingOperations.Wire;

namespace SchedulingOperations.Booking;

/// <summary>Input of <c>$book</c> and <c>$hold</c>, whatever dialect it came in.</summary>
internal sealed record BookingRequest
{
    /// <summary>The appointment as sent; null where only a reference was.</summary>
    public JsonElement? Appointment { get; private init; }

    /// <summary>An appointment of this server that the request is about: by reference, by URL, or by the id in the resource.</summary>
    public ResourceKey? Known { get; private init; }

    /// <summary>The reference came without a resource, so it must lead somewhere.</summary>
    public bool IsByReference { get; private init; }

    public Proposal? Proposal { get; private init; }

    public string? Schedule { get; private init; }

    /// <summary><c>cancelled-appt-id</c>: the appointment that this one takes the place of.</summary>
    public ResourceKey? Replaced { get; private init; }

    public IReadOnlyList<InputPart> Patients { get; private init; } = [];

    public string? Comment { get; private init; }

    /// <summary>IHE's Bundle instead of the bare appointment.</summary>
    public bool AsBundle { get; private init; }

    /// <summary>True where the call is answered in IHE's shapes: known before the input has been checked, so that refusals can be, too.</summary>
    public static bool IsIhe(SchedulingCall call)
    {
        if (call.Dialect != SchedulingDialect.Default)
        {
            return call.Dialect == SchedulingDialect.Ihe;
        }
        if (call.Body is not { ValueKind: JsonValueKind.Object } body)
        {
            return false;
        }
        foreach (var parameter in new ElementList(body, "parameter"u8))
        {
            if (parameter.TryGetProperty("name"u8, out var name) && (name.ValueEquals("appointment-reference"u8) || name.ValueEquals("appointment-resource"u8)))
            {
                return true;
            }
        }
        if (body.TryGetProperty("meta"u8, out var meta))
        {
            foreach (var profile in new ElementList(meta, "profile"u8))
            {
                if (profile.GetString() is { } url && url.StartsWith("https://profiles.ihe.net/ITI/Scheduling/", StringComparison.Ordinal))
                {
                    return true;
                }
            }
        }
        return false;
    }

    public static Outcome<BookingRequest> Read(SchedulingCall call, Proposals proposals, bool isHold)
    {
        if (!OperationInput.Read(call).TryGet(out var input, out var failure))
        {
            return failure;
        }
        var operation = isHold ? "$hold" : "$book";
        if ((isHold
            ? input.RefuseOthers(operation, "appointment-reference", "appointment-resource", "appt-resource", "schedule", "patient-reference", "patient-resource", "comment")
            : input.RefuseOthers(operation, "appointment-reference", "appointment-resource", "appt-resource", "schedule", "cancelled-appt-id", "patient-reference", "patient-resource", "comment")) is { } unknown)
        {
            return unknown;
        }
        if (!input.Single("appointment-reference").TryGet(out var reference, out failure) && failure is not null
            || !input.Single("appointment-resource").TryGet(out var iheResource, out failure) && failure is not null
            || !input.Single("appt-resource").TryGet(out var resource, out failure) && failure is not null
            || !input.Single("schedule").TryGet(out var schedule, out failure) && failure is not null
            || !input.Single("cancelled-appt-id").TryGet(out var replaced, out failure) && failure is not null
            || !input.Single("comment").TryGet(out var comment, out failure) && failure is not null)
        {
            return failure;
        }
        return Assemble(call, proposals, operation, input, reference, iheResource ?? resource, iheResource is not null && resource is not null, schedule, replaced, comment);
    }

    private static Outcome<BookingRequest> Assemble(
        SchedulingCall call, Proposals proposals, string operation, OperationInput input, InputPart? reference, InputPart? resource, bool isTwice, InputPart? schedule, InputPart? replaced, InputPart? comment)
    {
        var given = (input.Bare is null ? 0 : 1) + (reference is null ? 0 : 1) + (resource is null ? 0 : 1) + (isTwice ? 1 : 0);
        if (given > 1 || reference is not null && call.InstanceId is not null)
        {
            return Refusals.Malformed($"{operation} takes one appointment: a reference or a resource, not both.", "Parameters.parameter", "invalid");
        }
        if (given == 0 && call.InstanceId is null)
        {
            return Refusals.Malformed($"{operation} needs an appointment: a bare Appointment, appt-resource, appointment-reference or appointment-resource.", "Parameters.parameter", "required");
        }
        JsonElement? appointment = input.Bare ?? resource?.Value;
        if (appointment is { } body && (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("resourceType"u8, out var type) || !type.ValueEquals("Appointment"u8)))
        {
            return Refusals.Malformed($"{resource?.Name} is an Appointment.", resource?.Expression, "structure");
        }
        ResourceKey? known = null;
        if (reference is { } named)
        {
            if (!call.TryParse(named.Text, out var key) || key.Type != "Appointment")
            {
                return Refusals.Rule("appointment-reference names an appointment of this server: Appointment/[id], as $find or $hold gave it.", named.Expression, "reference-not-found");
            }
            known = key;
        }
        else if ((call.InstanceId ?? (appointment is { } sent ? new AppointmentView(sent).Id : null)) is { } id && FhirIds.IsValid(id))
        {
            known = new ResourceKey("Appointment", id);
        }
        ResourceKey? old = null;
        if (replaced is { } replacement)
        {
            if (!TryReadAppointment(call, replacement.Text, out var key))
            {
                return Refusals.Rule("cancelled-appt-id names an appointment of this server.", replacement.Expression, "reference-not-found");
            }
            old = key;
        }
        proposals.TryDecode(known?.Id, out var proposal);
        return new BookingRequest
        {
            Appointment = appointment,
            Known = proposal is null ? known : null,
            IsByReference = reference is not null || call.InstanceId is not null,
            Proposal = proposal,
            Schedule = schedule?.Text,
            Replaced = old,
            Patients = [.. input.All("patient-resource"), .. input.All("patient-reference")],
            Comment = comment?.Text,
            AsBundle = operation == "$hold" || IsIhe(call),
        };
    }

    /// <summary>A URI that names an appointment: absolute, relative, or the id alone.</summary>
    public static bool TryReadAppointment(SchedulingCall call, string? text, out ResourceKey key)
    {
        if (FhirIds.IsValid(text))
        {
            key = new("Appointment", text);
            return true;
        }
        return call.TryParse(text, out key) && key.Type == "Appointment";
    }
}
