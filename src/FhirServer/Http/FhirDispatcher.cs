using Authorization.Access;
using FhirCore;
using FhirServer.AppState;
using FhirServer.Auditing;
using FhirServer.Bundles;
using FhirServer.Interactions;
using FhirServer.Operations;

namespace FhirServer.Http;

/// <summary>
/// From a request to the one class that answers it, by way of the access decision. Bundle entries come through here too, so there is no
/// second way in.
/// </summary>
internal sealed class FhirDispatcher(
    ReadInteractions reads, HistoryInteractions histories, SearchInteractions searches, WriteInteractions writes,
    BundleInteractions bundles, OperationRouter operations, AuditEvents auditEvents, AppStateInteractions appStates, RateLimits limits)
{
    public ValueTask<FhirReply> DispatchAsync(FhirRequest request, CancellationToken ct)
    {
        var interaction = InteractionTable.Find(request.Route.Kind, request.Method);
        if (request.Base.IsAppState)
        {
            return limits.Check(request, interaction) is { } tooMany ? new(FhirReply.Refused(tooMany)) : appStates.AnswerAsync(request, interaction, ct);
        }
        if (!InteractionTable.IsOffered(interaction))
        {
            return new(NotOffered(request));
        }
        if (limits.Check(request, interaction) is { } tooMuch)
        {
            return new(FhirReply.Refused(tooMuch));
        }
        if (interaction == FhirInteraction.Operation)
        {
            return operations.InvokeAsync(request, ct);
        }
        if (interaction == FhirInteraction.Batch)
        {
            return bundles.ProcessAsync(request, this, ct);
        }
        if ((AccessDecision.Decide(request.Grant, InteractionTable.Needed(request, interaction), request.Route.Type)
            ?? SearchReach.Check(request.Grant, request)
            ?? AuditEvents.CheckReach(request)
            ?? CheckParameters(request, interaction)) is { } refusal)
        {
            return new(FhirReply.Refused(refusal));
        }
        return interaction switch
        {
            FhirInteraction.Read or FhirInteraction.VRead or FhirInteraction.HistoryInstance when AuditEvents.IsOwn(request) => auditEvents.ReadAsync(request, interaction, ct),
            FhirInteraction.SearchType when AuditEvents.IsSearch(request, interaction) => auditEvents.SearchAsync(request, ct),
            FhirInteraction.Read => reads.ReadAsync(request, ct),
            FhirInteraction.VRead => reads.ReadVersionAsync(request, ct),
            FhirInteraction.SearchType => searches.SearchAsync(request, ct),
            FhirInteraction.HistoryInstance or FhirInteraction.HistoryType or FhirInteraction.HistorySystem => histories.HistoryAsync(request, ct),
            _ => writes.WriteAsync(request, ct),
        };
    }

    private static FhirReply NotOffered(FhirRequest request)
    {
        var kind = request.Route.Kind;
        if (kind == RouteKind.Compartment)
        {
            return FhirReply.Refused(FhirFailure.Of(FailureKind.NotFound,
                "Compartment search is not offered yet; search the type by its reference parameter.", code: "not-supported"));
        }
        if (kind is RouteKind.System or RouteKind.SystemSearch && (request.IsRead || kind == RouteKind.SystemSearch))
        {
            return FhirReply.Refused(FhirFailure.Of(FailureKind.Invalid, "Search over all types is not offered yet; search one type.", code: "not-supported"));
        }
        var allow = InteractionTable.Allow(kind);
        return request.Method == "PATCH" && kind is RouteKind.Type or RouteKind.Instance
            ? FhirReply.Refused(FhirFailure.Of(FailureKind.MethodNotAllowed, $"PATCH is not offered yet; offered: {allow}."), allow)
            : FhirReply.MethodNotAllowed(request.Method, allow);
    }

    /// <summary>Parameters of interactions that are no search: what would change the answer but is not there yet is refused by name.</summary>
    private static FhirFailure? CheckParameters(FhirRequest request, FhirInteraction interaction)
    {
        if (request.Query.IsEmpty || request.Route.Kind == RouteKind.Type && interaction != FhirInteraction.Create
            || interaction is FhirInteraction.SearchType or FhirInteraction.HistoryInstance or FhirInteraction.HistoryType or FhirInteraction.HistorySystem)
        {
            return null;
        }
        foreach (var (name, value) in request.Query)
        {
            if (name is "_format" or "_pretty" || value.Length == 0 || name is "_summary" && value is "false")
            {
                continue;
            }
            if (name is "_summary" or "_elements" || request.Prefer.Strict)
            {
                return FhirFailure.Of(FailureKind.Invalid, name is "_summary" or "_elements"
                    ? $"{name} is not offered here yet."
                    : "This interaction takes _format and _pretty only.", code: "not-supported");
            }
        }
        return null;
    }
}
