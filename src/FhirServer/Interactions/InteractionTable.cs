using Authorization.Access;
using FhirServer.Http;

namespace FhirServer.Interactions;

/// <summary>Which interaction a path and a method make; the only table of methods.</summary>
internal static class InteractionTable
{
    public static FhirInteraction Find(RouteKind kind, string method) => (kind, method) switch
    {
        (RouteKind.Instance, "GET" or "HEAD") => FhirInteraction.Read,
        (RouteKind.Instance, "PUT") => FhirInteraction.Update,
        (RouteKind.Instance, "DELETE") => FhirInteraction.Delete,
        (RouteKind.Instance or RouteKind.Type, "PATCH") => FhirInteraction.Patch,
        (RouteKind.Version, "GET" or "HEAD") => FhirInteraction.VRead,
        (RouteKind.InstanceHistory, "GET" or "HEAD") => FhirInteraction.HistoryInstance,
        (RouteKind.TypeHistory, "GET" or "HEAD") => FhirInteraction.HistoryType,
        (RouteKind.SystemHistory, "GET" or "HEAD") => FhirInteraction.HistorySystem,
        (RouteKind.Type, "GET" or "HEAD") => FhirInteraction.SearchType,
        (RouteKind.TypeSearch, "POST") => FhirInteraction.SearchType,
        (RouteKind.Type, "POST") => FhirInteraction.Create,
        (RouteKind.Type, "PUT") => FhirInteraction.Update,
        (RouteKind.Type, "DELETE") => FhirInteraction.Delete,
        (RouteKind.System, "POST") => FhirInteraction.Batch,
        (RouteKind.SystemOperation or RouteKind.TypeOperation or RouteKind.InstanceOperation, "GET" or "HEAD" or "POST") => FhirInteraction.Operation,
        (RouteKind.Metadata or RouteKind.SmartConfiguration, "GET" or "HEAD") => FhirInteraction.Capabilities,
        _ => FhirInteraction.Other,
    };

    /// <summary>What the access decision is asked: a conditional interaction is more than its plain one, for it tells what matches.</summary>
    public static Interaction Needed(FhirRequest request, FhirInteraction interaction)
    {
        var conditional = request.Route.Kind == RouteKind.Type;
        return interaction switch
        {
            FhirInteraction.Read => Interaction.Read,
            FhirInteraction.VRead => Interaction.VRead,
            FhirInteraction.HistoryInstance => Interaction.HistoryInstance,
            FhirInteraction.HistoryType => Interaction.HistoryType,
            FhirInteraction.HistorySystem => Interaction.HistorySystem,
            FhirInteraction.SearchType => Interaction.SearchType,
            FhirInteraction.Create => request.IfNoneExist is null ? Interaction.Create : Interaction.ConditionalCreate,
            FhirInteraction.Update => conditional ? Interaction.ConditionalUpdate : Interaction.Update,
            FhirInteraction.Delete => conditional ? Interaction.ConditionalDelete : Interaction.Delete,
            FhirInteraction.Batch or FhirInteraction.Transaction => Interaction.Bundle,
            _ => throw new ArgumentOutOfRangeException(nameof(interaction), interaction, "Say here what the access decision is asked."),
        };
    }

    /// <summary>Known to R4, but not all of it is there yet.</summary>
    public static bool IsOffered(FhirInteraction interaction) => interaction is not (FhirInteraction.Other or FhirInteraction.Patch);

    public static string Allow(RouteKind kind) => kind switch
    {
        RouteKind.System or RouteKind.TypeSearch => "POST",
        RouteKind.Type => "GET, HEAD, POST, PUT, DELETE",
        RouteKind.Instance => "GET, HEAD, PUT, DELETE",
        RouteKind.SystemOperation or RouteKind.TypeOperation or RouteKind.InstanceOperation => "GET, HEAD, POST",
        _ => "GET, HEAD",
    };

    /// <summary>Code of the interaction, as the CapabilityStatement and the metrics name it.</summary>
    public static string Code(FhirInteraction interaction) => interaction switch
    {
        FhirInteraction.Read => "read",
        FhirInteraction.VRead => "vread",
        FhirInteraction.Update => "update",
        FhirInteraction.Patch => "patch",
        FhirInteraction.Delete => "delete",
        FhirInteraction.HistoryInstance => "history-instance",
        FhirInteraction.HistoryType => "history-type",
        FhirInteraction.HistorySystem => "history-system",
        FhirInteraction.Create => "create",
        FhirInteraction.SearchType => "search-type",
        FhirInteraction.Batch => "batch",
        FhirInteraction.Transaction => "transaction",
        FhirInteraction.Operation => "operation",
        FhirInteraction.Capabilities => "capabilities",
        _ => "other",
    };
}
