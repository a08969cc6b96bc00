using Auditing.Reading;
using FhirCore;
using FhirServer.Http;
using FhirServer.Interactions;
using FhirStore.Access;
using FhirStore.Search;
using FhirStore.Writing;

namespace FhirServer.Auditing;

/// <summary>AuditEvents over HTTP: those of the server's own trail, and with a search also those that clients have stored.</summary>
internal sealed class AuditEvents(AuditReader reader)
{
    public const string Type = "AuditEvent";

    public static readonly FhirFailure Fixed =
        FhirFailure.Of(FailureKind.MethodNotAllowed, "An event of the audit trail cannot be changed or deleted.", "AuditEvent.id");

    public static bool IsOwn(FhirRequest request) => request.Route.Type == Type && AuditReader.IsOwn(request.Route.Id);

    public static bool IsSearch(FhirRequest request, FhirInteraction interaction) => interaction == FhirInteraction.SearchType && request.Route.Type == Type;

    public async ValueTask<FhirReply> ReadAsync(FhirRequest request, FhirInteraction interaction, CancellationToken ct)
    {
        if (interaction == FhirInteraction.HistoryInstance)
        {
            return FhirReply.Refused(FhirFailure.Of(FailureKind.NotFound, "An event of the audit trail never changes: it has no history.", code: "not-supported"));
        }
        if (interaction == FhirInteraction.VRead && request.Route.Tail != "1")
        {
            return FhirReply.Refused(FhirFailure.Of(FailureKind.NotFound, $"{request.Route.Type}/{request.Route.Id} has no such version."));
        }
        var found = await reader.FindAsync(request.Route.Id!, ct);
        var isWithin = found is null || request.Caller?.Reach(Use.Read, Type).Admits(found) != false;
        return ReadInteractions.Answer(request, isWithin ? found : null);
    }

    public async ValueTask<FhirReply> SearchAsync(FhirRequest request, CancellationToken ct) =>
        (await reader.SearchAsync(SearchInteractions.Asked(request), ct)).TryGet(out var page, out var failure)
            ? SearchInteractions.Answer(request, page)
            : FhirReply.Refused(failure);

    /// <summary>Searches of other types look at stored resources only: through the trail they would find less than there is.</summary>
    public static FhirFailure? CheckReach(FhirRequest request)
    {
        foreach (var (name, value) in request.Query)
        {
            if (name.Contains("_has:AuditEvent", StringComparison.Ordinal) || (name.StartsWith("_revinclude", StringComparison.Ordinal) && value.StartsWith("AuditEvent:", StringComparison.Ordinal)))
            {
                return FhirFailure.Of(FailureKind.Invalid, "_has and _revinclude through AuditEvent are not offered; search AuditEvent by patient or entity.", code: "not-supported");
            }
        }
        return null;
    }
}

/// <summary>The trail's own events are nobody's to write, by whatever route: their ids cannot be taken.</summary>
internal sealed class AuditEventRule : IWriteRule
{
    public ValueTask<FhirFailure?> ApplyAsync(WritePlan plan, CancellationToken ct)
    {
        foreach (var write in plan.Writes)
        {
            if (write.Key.Type == AuditEvents.Type && AuditReader.IsOwn(write.Key.Id))
            {
                return new(AuditEvents.Fixed);
            }
        }
        return new((FhirFailure?)null);
    }
}
