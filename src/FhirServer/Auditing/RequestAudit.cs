using System.Collections.Immutable;
using Auditing;
using Auditing.Entries;
using Auditing.Trail;
using Authorization.Access;
using FhirCore;
using FhirCore.Records;
using FhirServer.Http;
using FhirServer.Interactions;
using FhirStore;

namespace FhirServer.Auditing;

/// <summary>Makes one event of every request below the FHIR base, and of every entry of a Bundle: answered, refused or failed.</summary>
internal sealed class RequestAudit(AuditTrail trail, AuditOptions options, TimeProvider clock)
{
    /// <summary>Told to whoever made a change whose event was not stored in time.</summary>
    private static readonly FhirFailure NotOnRecord = FhirFailure.Of(
        FailureKind.Unavailable, "The request was carried out, but its audit event could not be stored in time. Do not send it again: read what it was about.");

    /// <summary>Null where requests may be let in.</summary>
    public FhirFailure? Closed => options.Enabled ? trail.Closed : null;

    public RequestOrigin Begin(HttpContext context, FhirBase @base) => RequestOrigin.Of(context, @base, clock.GetTimestamp());

    /// <summary>Records how a request ended, before the answer goes out.</summary>
    /// <returns>The reply to send: another one where the event could not be stored in time.</returns>
    public async ValueTask<FhirReply> RecordAsync(FhirRequest request, FhirReply reply, CancellationToken ct)
    {
        if (!options.Enabled)
        {
            return reply;
        }
        var entry = EntryOf(request, reply.Status, reply);
        if (options.Durability == AuditDurability.Always || MayHaveChanged(request, reply.Status))
        {
            return await trail.RecordAsync(entry, ct) ? reply : FhirReply.Refused(NotOnRecord);
        }
        trail.Record(entry);
        return reply;
    }

    /// <summary>Records an entry of a Bundle; the Bundle's own event is stored after it.</summary>
    public void RecordEntry(FhirRequest request, FhirReply reply)
    {
        if (options.Enabled)
        {
            trail.Record(EntryOf(request, reply.Status, reply));
        }
    }

    /// <summary>Records an entry that names nothing that could be done.</summary>
    public void RecordEntryRefusal(FhirRequest bundle, FhirFailure failure)
    {
        if (options.Enabled)
        {
            trail.Record(EntryOf(bundle.Origin, bundle.Grant, default, FhirInteraction.Other, failure.Status, failure.Issues[0].Code, null));
        }
    }

    /// <summary>Records a refusal of something that never became a request: no token, no such path, a malformed query.</summary>
    public void RecordRefusal(HttpContext context, RequestOrigin origin, Grant? grant, FhirRoute route, FhirInteraction interaction, FhirFailure failure)
    {
        if (options.Enabled)
        {
            trail.Record(EntryOf(origin, grant, route, interaction, failure.Status, failure.Issues[0].Code, context.Request.QueryString.Value));
        }
    }

    /// <summary>Records that the server failed; what was done by then is not known.</summary>
    public void RecordFault(HttpContext context, RequestOrigin origin, Grant? grant, FhirRoute route, FhirInteraction interaction, Exception error)
    {
        if (options.Enabled)
        {
            var status = error is StoreUnavailableException or OperationCanceledException ? StatusCodes.Status503ServiceUnavailable
                : error is BadHttpRequestException bad ? bad.StatusCode
                : StatusCodes.Status500InternalServerError;
            var issue = status == StatusCodes.Status503ServiceUnavailable ? "transient" : "exception";
            trail.Record(EntryOf(origin, grant, route, interaction, status, issue, context.Request.QueryString.Value));
        }
    }

    private AuditEntry EntryOf(RequestOrigin origin, Grant? grant, FhirRoute route, FhirInteraction interaction, int status, string issue, string? query)
    {
        return new()
        {
            Kind = AuditKind.Access,
            At = clock.GetUtcNow(),
            Took = clock.GetElapsedTime(origin.Started),
            Interaction = Interactions[(int)interaction],
            Status = status,
            Type = TypeOf(origin, route.Type),
            Id = route.Id,
            Operation = OperationOf(route),
            ClientId = grant?.ClientId,
            AccountId = grant?.User?.AccountId,
            FhirUser = grant?.User?.FhirUser,
            Address = origin.Address,
            RequestId = origin.RequestId,
            Query = string.IsNullOrEmpty(query) ? null : query,
            Issue = issue,
            Patients = route is { Type: "Patient", Id: { } patient } ? [patient] : [],
        };
    }

    private AuditEntry EntryOf(FhirRequest request, int status, FhirReply reply)
    {
        var interaction = InteractionTable.Find(request.Route.Kind, request.Method);
        var (grant, origin, written) = (request.Grant, request.Origin, reply.Resource);
        var target = TargetOf(request, reply);
        return new()
        {
            Kind = AuditKind.Access,
            At = clock.GetUtcNow(),
            Took = clock.GetElapsedTime(origin.Started),
            Interaction = interaction == FhirInteraction.Batch ? OfBundle(request, reply) : Interactions[(int)interaction],
            Status = status,
            Type = TypeOf(origin, target?.Type ?? request.Route.Type),
            Id = target?.Id,
            Version = written?.Version ?? reply.Version ?? 0,
            Operation = OperationOf(request.Route),
            ClientId = grant.ClientId,
            AccountId = grant.User?.AccountId,
            FhirUser = grant.User?.FhirUser,
            Address = origin.Address,
            RequestId = origin.RequestId,
            Query = QueryOf(request),
            Issue = reply.Failure?.Issues[0].Code,
            Patients = PatientsOf(request, interaction, reply),
            Reason = request.BreakGlass,
        };
    }

    private static IReadOnlyList<string> PatientsOf(FhirRequest request, FhirInteraction interaction, FhirReply reply)
    {
        if (request.Route is { Type: "Patient", Id: { } self } && interaction != FhirInteraction.Operation)
        {
            return [self];
        }
        if (interaction == FhirInteraction.Batch)
        {
            return []; // its entries have events of their own
        }
        var found = new PatientList();
        if (reply.Resource is { } resource)
        {
            if (resource.Patient is { } patient)
            {
                return [patient];
            }
            PatientsNamed.In(resource.Json.Span, ref found);
            return found.Ids;
        }
        if (!request.Query.IsEmpty)
        {
            PatientsNamed.In(request.Route.Type, request.Query, ref found);
        }
        PatientsNamed.In(request.Body.Span, ref found);
        if (reply.Failure is null)
        {
            PatientsNamed.In(reply.Body.Span, ref found);
        }
        return found.Ids;
    }

    private static string? TypeOf(RequestOrigin origin, string? type) => origin.Outside.Length == 0 || type is null ? type : origin.Outside + type;

    private static ResourceKey? TargetOf(FhirRequest request, FhirReply reply)
    {
        if (reply.Resource is { } resource)
        {
            return resource.Key;
        }
        if (request.Route is { Id: { } id, Type: { } type })
        {
            return new(type, id);
        }
        // What an operation has made is told by its Location.
        return reply.Location is { } location && location.StartsWith(request.Base.Url, StringComparison.Ordinal)
            && location[(request.Base.Url.Length + 1)..].Split('/') is [var madeType, var madeId, ..] && FhirIds.IsValid(madeId) ? new(madeType, madeId) : null;
    }

    private static string? QueryOf(FhirRequest request) =>
        request.Route.Kind == RouteKind.TypeSearch ? QueryParameters.Format(request.Query)
        : request.IfNoneExist is { } criteria ? criteria
        : request.RawQuery.Length > 0 ? request.RawQuery
        : null;

    private static string? OperationOf(FhirRoute route) =>
        route.Kind is RouteKind.SystemOperation or RouteKind.TypeOperation or RouteKind.InstanceOperation ? route.Tail : null;

    private static bool MayHaveChanged(FhirRequest request, int status)
    {
        if (status is >= 400 and < 500 || request.IsRead)
        {
            return false;
        }
        return request.Route.Kind is not RouteKind.TypeSearch && request.Route.Tail is not "$find";
    }

    private static AuditInteraction OfBundle(FhirRequest request, FhirReply reply) =>
        reply.Failure is null
            ? reply.Body.Span[..Math.Min(reply.Body.Length, 128)].IndexOf("transaction-response"u8) >= 0 ? AuditInteraction.Transaction : AuditInteraction.Batch
            : request.Body.Span.IndexOf("\"transaction\""u8) >= 0 ? AuditInteraction.Transaction : AuditInteraction.Batch;

    private static readonly ImmutableArray<AuditInteraction> Interactions = [.. Enum.GetValues<FhirInteraction>().Select(interaction => interaction switch
    {
        FhirInteraction.Read => AuditInteraction.Read,
        FhirInteraction.VRead => AuditInteraction.VRead,
        FhirInteraction.Update => AuditInteraction.Update,
        FhirInteraction.Patch => AuditInteraction.Patch,
        FhirInteraction.Delete => AuditInteraction.Delete,
        FhirInteraction.HistoryInstance => AuditInteraction.HistoryInstance,
        FhirInteraction.HistoryType => AuditInteraction.HistoryType,
        FhirInteraction.HistorySystem => AuditInteraction.HistorySystem,
        FhirInteraction.Create => AuditInteraction.Create,
        FhirInteraction.SearchType => AuditInteraction.Search,
        FhirInteraction.Batch => AuditInteraction.Batch,
        FhirInteraction.Transaction => AuditInteraction.Transaction,
        FhirInteraction.Operation => AuditInteraction.Operation,
        _ => AuditInteraction.Other,
    })];
}
