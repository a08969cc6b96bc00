using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Authorization.Access;
using Authorization.Scopes;
using FhirCore;
using FhirServer.Auditing;
using FhirServer.Http;
using FhirServer.Settings;
using Subscriptions.Reminders.Links;

namespace FhirServer.Messages;

/// <summary>
/// Does what a patient asks for by a link or an SMS, as a request like any other: through the dispatcher, under a grant that reaches this one
/// appointment, on the version that was looked at, and audited.
/// </summary>
internal sealed class VisitActions(FhirDispatcher dispatcher, RequestAudit audit, Callers callers, ServerSettings settings)
{
    /// <summary>Who acts, as the audit trail names them. No registered client has an id with a blank.</summary>
    public const string ByLink = "visit link";
    public const string BySms = "sms reply";

    private const Permissions See = Permissions.Read | Permissions.Search;
    private readonly FhirBase _base = FhirBase.Plain(settings);

    /// <summary>Null where requests may be let in.</summary>
    public FhirFailure? Closed => audit.Closed;

    /// <summary>An AppointmentResponse: the patient will come to this visit at this time. Confirming twice is confirming once.</summary>
    public Task<FhirReply> ConfirmAsync(HttpContext context, LinkedVisit visit, string by, CancellationToken ct)
    {
        const string system = "urn:fhir-server:visit-answer";
        var response = new JsonObject
        {
            ["resourceType"] = "AppointmentResponse",
            ["identifier"] = new JsonArray(new JsonObject { ["system"] = system, ["value"] = visit.AnswerId }),
            ["appointment"] = new JsonObject { ["reference"] = visit.Appointment.ToString() },
            ["start"] = Instant(visit.Start),
            ["end"] = Instant(visit.Start + visit.Length),
            ["actor"] = new JsonObject { ["reference"] = visit.Patient.ToString() },
            ["participantStatus"] = "accepted",
        };
        if (visit.Length <= TimeSpan.Zero)
        {
            response.Remove("end");
        }
        return RunAsync(context, visit, by, Request(new(RouteKind.Type, "AppointmentResponse"), response) with { IfNoneExist = $"identifier={system}|{visit.AnswerId}" }, ct);
    }

    public Task<FhirReply> CancelAsync(HttpContext context, LinkedVisit visit, string by, CancellationToken ct) => RunAsync(
        context, visit, by,
        Request(
            new(RouteKind.InstanceOperation, "Appointment", visit.Appointment.Id, "$cancel"),
            Parameters(new JsonObject
            {
                ["name"] = "reason",
                ["valueCodeableConcept"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason", ["code"] = "pat" }) },
            })) with { IfMatch = ETags.Of(visit.Version) },
        ct);

    /// <param name="start">In the visit's schedule.</param>
    public Task<FhirReply> RescheduleAsync(HttpContext context, LinkedVisit visit, string by, DateTimeOffset start, CancellationToken ct) => RunAsync(
        context, visit, by,
        Request(
            new(RouteKind.InstanceOperation, "Appointment", visit.Appointment.Id, "$reschedule"),
            Parameters(
                new JsonObject { ["name"] = "start", ["valueInstant"] = Instant(start) },
                new JsonObject { ["name"] = "schedule", ["valueReference"] = new JsonObject { ["reference"] = visit.Schedule!.Value.ToString() } })) with { IfMatch = ETags.Of(visit.Version) },
        ct);

    /// <summary>Free times of the visit's length in its schedule.</summary>
    /// <returns>Null where they could not be found.</returns>
    public async Task<IReadOnlyList<DateTimeOffset>?> FindAsync(HttpContext context, LinkedVisit visit, string by, DateTimeOffset from, DateTimeOffset to, int most, CancellationToken ct)
    {
        var minutes = Math.Max(1, (int)visit.Length.TotalMinutes);
        var request = new FhirRequest
        {
            Route = new(RouteKind.TypeOperation, "Appointment", Tail: "$find"),
            Method = "GET",
            Base = _base,
            Grant = GrantOf(visit, by),
            Origin = audit.Begin(context, _base),
            Query =
            [
                new("start", Instant(from)), new("end", Instant(to)), new("schedule", visit.Schedule!.Value.ToString()), new("duration", minutes.ToString(CultureInfo.InvariantCulture)),
                new("_count", most.ToString(CultureInfo.InvariantCulture)),
            ],
        };
        var reply = await RunAsync(request, ct);
        if (reply.Failure is not null)
        {
            return null;
        }
        using var bundle = JsonDocument.Parse(reply.Body);
        var starts = new List<DateTimeOffset>();
        foreach (var entry in bundle.RootElement.TryGetProperty("entry"u8, out var entries) ? entries.EnumerateArray() : default)
        {
            if (entry.GetProperty("resource"u8).TryGetProperty("start"u8, out var start) && start.TryGetDateTimeOffset(out var time))
            {
                starts.Add(time);
            }
        }
        return [.. starts.Distinct().Order()];
    }

    private FhirRequest Request(FhirRoute route, JsonObject body) => new()
    {
        Route = route,
        Method = "POST",
        Base = _base,
        Grant = null!, // given when it is run
        Origin = null!,
        Body = JsonSerializer.SerializeToUtf8Bytes(body),
    };

    private Task<FhirReply> RunAsync(HttpContext context, LinkedVisit visit, string by, FhirRequest request, CancellationToken ct) =>
        RunAsync(request with { Grant = GrantOf(visit, by), Origin = audit.Begin(context, _base) }, ct);

    private async Task<FhirReply> RunAsync(FhirRequest request, CancellationToken ct)
    {
        request = request with { Caller = await callers.OfAsync(request.Grant, breakGlass: false, ct) };
        return await audit.RecordAsync(request, await dispatcher.DispatchAsync(request, ct), ct);
    }

    /// <summary>This appointment, answers to it, and when there is free time: nothing else.</summary>
    private static Grant GrantOf(LinkedVisit visit, string by) => new(by,
    [
        new(ScopeLevel.System, "Appointment", See | Permissions.Update, Filter: $"_id={visit.Appointment.Id}"),
        new(ScopeLevel.System, "AppointmentResponse", See | Permissions.Create, Filter: $"appointment={visit.Appointment}"),
        new(ScopeLevel.System, "Slot", See),
        new(ScopeLevel.System, "Schedule", See),
    ]);

    private static JsonObject Parameters(params JsonNode[] parameters) => new() { ["resourceType"] = "Parameters", ["parameter"] = new JsonArray(parameters) };

    private static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
