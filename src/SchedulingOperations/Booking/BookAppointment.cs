using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using FhirStore;
using FhirStore.Access;
using SchedulingOperations.Finding;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary><c>$book</c>: a new appointment, a hold confirmed, an appointment moved or cancelled. One commit decides.</summary>
internal sealed class BookAppointment(OperationRunner runner, Reservations reservations, Moves moves, Patients patients, Proposals proposals, SlotQueries queries, TimeProvider clock)
{
    public async Task<Outcome<SchedulingReply>> RunAsync(SchedulingCall call, CancellationToken ct)
    {
        if (!BookingRequest.Read(call, proposals, isHold: false).TryGet(out var request, out var failure))
        {
            return failure;
        }
        return await runner.RunAsync(call, request.AsBundle, (desk, lookFirst, token) => BuildAsync(call, request, desk, lookFirst, token), ct);
    }

    private async ValueTask<Outcome<Settled>> BuildAsync(SchedulingCall call, BookingRequest request, PlanDesk desk, bool lookFirst, CancellationToken ct)
    {
        if (request.Known is { } key)
        {
            if (await call.SeenAsync(desk.Plan, key, Use.Update, ct) is { Deleted: false } stored)
            {
                return await ChangeAsync(call, request, stored, desk, lookFirst, ct);
            }
            if (request.IsByReference)
            {
                return call.InstanceId is null ? Refusals.Unknown(key.ToString(), "Parameters.parameter") : FhirFailure.Of(FailureKind.NotFound, $"{key} does not exist.");
            }
        }
        // An id that a client gives to a new appointment is its own business: two clients may give the same.
        return await CreateAsync(call, request, desk, lookFirst, ct);
    }

    private async ValueTask<Outcome<Settled>> CreateAsync(SchedulingCall call, BookingRequest request, PlanDesk desk, bool lookFirst, CancellationToken ct)
    {
        if (!(await DraftAsync(call, request, null, desk, ct)).TryGet(out var draft, out var refused))
        {
            return refused;
        }
        var (json, wish) = draft;
        if (!PatientsOf(json).Any())
        {
            return Refusals.Rule("An appointment is for a patient: name one as a participant.", "Appointment.participant", "patient-required");
        }
        if (call.Dialect == SchedulingDialect.Isik && AppointmentEdits.Participants(json).Any(p => AppointmentEdits.Text(p["actor"] as JsonObject, "display") is null))
        {
            return Refusals.Rule("ISiK asks for the display of every actor.", "Appointment.participant.actor.display", "display-required");
        }
        var key = new ResourceKey("Appointment", FhirIds.New(clock));
        if (request.Replaced is { } old && await ReplaceAsync(call, old, json, desk, ct) is { } notReplaced)
        {
            return notReplaced;
        }
        if (await reservations.ReserveAsync(desk, key, json, wish, AppointmentStatus.Booked, lookFirst, ct) is { } refusal)
        {
            return refusal;
        }
        (await desk.Plan.AddAsync(key, json, "book", ct)).Vouched = true;
        return new Settled(key, 1, 201);
    }

    /// <summary>The appointment as it is asked for, patients resolved, before any time is taken.</summary>
    /// <param name="stored">A stored proposal that is referred to; null where the request says all.</param>
    public async ValueTask<Outcome<(JsonObject Appointment, SlotWish Wish)>> DraftAsync(
        SchedulingCall call, BookingRequest request, StoredResource? stored, PlanDesk desk, CancellationToken ct)
    {
        JsonObject json;
        SlotWish wish;
        if ((request.Appointment ?? stored?.Root()) is { } sent)
        {
            var view = new AppointmentView(sent);
            if (view.Status != AppointmentStatus.Proposed)
            {
                return Refusals.Rule("An appointment sent to this operation is proposed; holding and booking are what the operation does.", "Appointment.status", "status-transition");
            }
            json = JsonObject.Create(sent)!;
            AppointmentEdits.RemoveHold(json);
            if (!(await WishAsync(call, request, view, desk, ct)).TryGet(out var wished, out var refused))
            {
                return refused;
            }
            wish = wished;
        }
        else
        {
            var proposal = request.Proposal!;
            json = ProposalEdits.Begin(proposal);
            wish = new SlotWish.InSchedules(proposal.ScheduleTokens);
        }
        if (request.Comment is { } comment)
        {
            json["comment"] = comment;
        }
        return await AddPatientsAsync(call, request, json, desk, ct) is { } wrong ? wrong : (json, wish);
    }

    private async ValueTask<Outcome<SlotWish>> WishAsync(SchedulingCall call, BookingRequest request, AppointmentView view, PlanDesk desk, CancellationToken ct)
    {
        if (view.SlotCount > 0)
        {
            var keys = new List<ResourceKey>(1);
            foreach (var reference in view.Slots)
            {
                if (!call.TryParse(reference, out var key) || key.Type != "Slot")
                {
                    return Refusals.Rule("Appointment.slot must name slots of this server.", "Appointment.slot", "reference-not-found");
                }
                keys.Add(key);
            }
            return new SlotWish.Named(keys);
        }
        if (request.Schedule is { } named)
        {
            if (!call.TryParse(named, out var key) || key.Type != "Schedule" || await desk.ScheduleAsync(key.ToString(), ct) is null)
            {
                return Refusals.Unknown("The schedule", "Parameters.parameter");
            }
            return new SlotWish.InSchedules([queries.ScheduleToken(key.ToString())]);
        }
        return request.Proposal is { } proposal ? new SlotWish.InSchedules(proposal.ScheduleTokens) : new SlotWish.OfActors();
    }

    private async ValueTask<Outcome<Settled>> ChangeAsync(
        SchedulingCall call, BookingRequest request, StoredResource stored, PlanDesk desk, bool lookFirst, CancellationToken ct)
    {
        var before = stored.Appointment();
        var after = request.Appointment is { } sent ? new AppointmentView(sent) : before;
        if (HoldOwner.Check(before, call) is { } foreign)
        {
            return foreign;
        }
        if (request.Appointment is not null && after.Status == AppointmentStatus.Cancelled)
        {
            var reason = after.Root.TryGetProperty("cancelationReason"u8, out var given) ? JsonObject.Create(given) : null;
            return await Cancellation.CancelAsync(desk, stored, reason, request.Comment is { } why ? json => json["comment"] = why : null, ct);
        }
        if (request.Replaced is not null)
        {
            return Refusals.Malformed("cancelled-appt-id goes with a new appointment; one whose id is known is moved by itself.", "Parameters.parameter", "invalid");
        }
        if (HoldCauses.EndedByExpiry(before) && HoldOwner.IsOf(before, HoldOwner.Of(call)))
        {
            return await BookAgainAsync(call, request, before, desk, lookFirst, ct);
        }
        if (before.Status is not (AppointmentStatus.Proposed or AppointmentStatus.Pending or AppointmentStatus.Waitlist or AppointmentStatus.Booked))
        {
            return Refusals.Transition(before.Status, AppointmentStatus.Booked);
        }
        if (request.Appointment is null && before.Status == AppointmentStatus.Booked)
        {
            return FhirFailure.Of(FailureKind.Conflict, $"{stored.Key} is booked already.", "Appointment.status", detail: "already-booked");
        }
        if (request.Appointment is not null && after.Status is not (AppointmentStatus.Proposed or AppointmentStatus.Pending or AppointmentStatus.Booked))
        {
            return Refusals.Rule("An appointment sent to $book is proposed, or cancelled to give it up.", "Appointment.status", "status-transition");
        }
        var json = JsonObject.Create(before.Root)!;
        var oldPatients = PatientsOf(json).ToHashSet(StringComparer.Ordinal);
        if (request.Appointment is { } change)
        {
            AppointmentMerge.Apply(json, change);
        }
        if (await AddPatientsAsync(call, request, json, desk, ct) is { } wrong)
        {
            return wrong;
        }
        var newPatients = PatientsOf(json).ToHashSet(StringComparer.Ordinal);
        if (newPatients.Count == 0)
        {
            return Refusals.Rule("An appointment is for a patient: name one as a participant.", "Appointment.participant", "patient-required");
        }
        if (oldPatients.Count > 0 && !oldPatients.SetEquals(newPatients))
        {
            return Refusals.Rule("The patient of an appointment does not change: cancel it and book another.", "Appointment.participant", "patient-fixed");
        }
        if (request.Comment is { } comment)
        {
            json["comment"] = comment;
        }
        SlotWish? wish = null;
        if (request.Appointment is not null && (after.SlotCount > 0 || request.Schedule is not null))
        {
            if (!(await WishAsync(call, request, after, desk, ct)).TryGet(out var wished, out var refused))
            {
                return refused;
            }
            wish = wished;
        }
        var namesActors = request.Appointment is { } named && named.TryGetProperty("participant"u8, out _);
        return await moves.MoveAsync(desk, stored, json, wish, AppointmentStatus.Booked, !namesActors, lookFirst, ct);
    }

    /// <summary>The hold was ended by its time and its slots may be somebody else's by now: a new appointment, if they are not.</summary>
    private async ValueTask<Outcome<Settled>> BookAgainAsync(
        SchedulingCall call, BookingRequest request, AppointmentView ended, PlanDesk desk, bool lookFirst, CancellationToken ct)
    {
        var json = JsonObject.Create(ended.Root)!;
        foreach (var name in (ReadOnlySpan<string>)["id", "meta", "cancelationReason", "text"])
        {
            json.Remove(name);
        }
        AppointmentEdits.RemoveHold(json);
        foreach (var participant in AppointmentEdits.Participants(json))
        {
            participant["status"] = "needs-action";
        }
        if (request.Appointment is { } change)
        {
            AppointmentMerge.Apply(json, change);
        }
        if (await AddPatientsAsync(call, request, json, desk, ct) is { } wrong)
        {
            return wrong;
        }
        if (!PatientsOf(json).Any())
        {
            return Refusals.Rule("An appointment is for a patient: name one as a participant.", "Appointment.participant", "patient-required");
        }
        var wanted = await moves.SchedulesOfAsync(desk, ended, ct);
        var key = new ResourceKey("Appointment", FhirIds.New(clock));
        if (await reservations.ReserveAsync(desk, key, json, wanted, AppointmentStatus.Booked, lookFirst, ct) is { } refusal)
        {
            return refusal;
        }
        (await desk.Plan.AddAsync(key, json, "book", ct)).Vouched = true;
        return new Settled(key, 1, 201);
    }

    private async ValueTask<FhirFailure?> AddPatientsAsync(SchedulingCall call, BookingRequest request, JsonObject json, PlanDesk desk, CancellationToken ct)
    {
        foreach (var part in request.Patients)
        {
            ResourceKey key;
            if (part.IsResource)
            {
                if (!(await patients.ResolveAsync(call, desk, part.Value, part.Expression, ct)).TryGet(out key, out var refused))
                {
                    return refused;
                }
            }
            else if (!call.TryParse(part.Text, out key) || key.Type != "Patient")
            {
                return Refusals.Rule("patient-reference names a patient of this server.", part.Expression, "reference-not-found");
            }
            AppointmentEdits.AddParticipant(json, new JsonObject { ["reference"] = key.ToString() }, "accepted");
        }
        return await patients.CheckParticipantsAsync(call, desk, json, ct);
    }

    /// <summary>Cancels the appointment that the new one takes the place of, and links to it.</summary>
    private static async ValueTask<FhirFailure?> ReplaceAsync(SchedulingCall call, ResourceKey old, JsonObject json, PlanDesk desk, CancellationToken ct)
    {
        const string Parameter = "Parameters.parameter.where(name='cancelled-appt-id')";
        if (await call.SeenAsync(desk.Plan, old, Use.Update, ct) is not { Deleted: false } stored)
        {
            return Refusals.Unknown(old.ToString(), Parameter);
        }
        var view = stored.Appointment();
        if (!view.Actors("Patient").ToHashSet().SetEquals(PatientsOf(json)))
        {
            return Refusals.Rule("The appointment to be replaced is for another patient.", Parameter, "patient-fixed");
        }
        if (view.Status != AppointmentStatus.Cancelled)
        {
            if (view.Status is not (AppointmentStatus.Pending or AppointmentStatus.Booked or AppointmentStatus.Proposed))
            {
                return Refusals.Transition(view.Status, AppointmentStatus.Cancelled);
            }
            if (!(await Cancellation.CancelAsync(desk, stored, null, null, ct)).TryGet(out _, out var refusal))
            {
                return refusal;
            }
        }
        Extensions.Set(json, AppointmentEdits.ReplacesUrl, "valueReference", new JsonObject { ["reference"] = old.ToString() });
        return null;
    }

    private static IEnumerable<string> PatientsOf(JsonObject appointment) =>
        AppointmentEdits.Participants(appointment).Select(p => AppointmentEdits.Text(p["actor"] as JsonObject, "reference")).OfType<string>().Where(r => r.StartsWith("Patient/", StringComparison.Ordinal));
}
