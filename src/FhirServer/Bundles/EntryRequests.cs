using FhirCore;
using FhirServer.Http;
using FhirServer.Interactions;

namespace FhirServer.Bundles;

/// <summary>Makes of an entry the request it stands for, so that it is answered the way a request of its own would be.</summary>
internal static class EntryRequests
{
    /// <param name="outer">The request that brought the Bundle: its base, its token and its preferences hold for the entries.</param>
    public static Outcome<FhirRequest> Make(FhirRequest outer, IncomingEntry entry, bool inTransaction)
    {
        var request = entry.Request;
        var url = request.Url;
        if (url.StartsWith(outer.Base.Url, StringComparison.Ordinal))
        {
            url = url[outer.Base.Url.Length..];
        }
        else if (url.Contains("://", StringComparison.Ordinal))
        {
            return Refuse(entry, "The url of an entry is relative to the base, such as Patient/123.");
        }
        var question = url.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? url : url[..question];
        var rawQuery = question < 0 ? "" : url[question..];
        if (!FhirRoute.Parse(Uri.UnescapeDataString(path)).TryGet(out var route, out var failure))
        {
            return Located(failure, entry, "url");
        }
        if (!QueryParameters.Parse(rawQuery).TryGet(out var query, out failure))
        {
            return Located(failure, entry, "url");
        }
        if (InteractionTable.Find(route.Kind, request.Method) is FhirInteraction.Batch or FhirInteraction.Capabilities)
        {
            return Refuse(entry, "A Bundle inside of a Bundle, and discovery, are not taken as entries.");
        }
        if (request.Method is "POST" or "PUT" && entry.Resource.IsEmpty && route.Kind is RouteKind.Type or RouteKind.Instance)
        {
            return FhirFailure.Of(FailureKind.Invalid, "A POST or PUT entry has a resource.", $"{entry.Location}.resource", "required");
        }
        return new FhirRequest
        {
            Route = route,
            Method = request.Method,
            Base = outer.Base,
            Grant = outer.Grant,
            Caller = outer.Caller,
            BreakGlass = outer.BreakGlass,
            Origin = outer.Origin,
            Cost = outer.Cost,
            RawQuery = rawQuery,
            Query = query,
            Body = entry.Resource,
            IfMatch = request.IfMatch,
            IfNoneMatch = request.IfNoneMatch,
            IfModifiedSince = request.IfModifiedSince,
            IfNoneExist = request.IfNoneExist,
            Prefer = outer.Prefer,
            Location = entry.Location,
            InTransaction = inTransaction,
        };
    }

    /// <summary>A refusal about the request of an entry.</summary>
    public static FhirFailure Located(FhirFailure failure, IncomingEntry entry, string element) =>
        failure with { Issues = [.. failure.Issues.Select(issue => issue with { Expression = $"{entry.Location}.request.{element}" })] };

    /// <summary>A refusal about the resource of an entry: <c>Patient.name[0]</c> becomes <c>Bundle.entry[3].resource.name[0]</c>.</summary>
    public static FhirFailure InResource(FhirFailure failure, string location) =>
        failure with { Issues = [.. failure.Issues.Select(issue => issue with { Expression = InResource(issue.Expression, location) })] };

    private static string InResource(string? expression, string location)
    {
        if (expression is null)
        {
            return location;
        }
        if (expression.StartsWith("Bundle.entry[", StringComparison.Ordinal))
        {
            return expression;
        }
        var dot = expression.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? $"{location}.resource" : $"{location}.resource{expression[dot..]}";
    }

    private static FhirFailure Refuse(IncomingEntry entry, string why) =>
        FhirFailure.Of(FailureKind.Invalid, why, $"{entry.Location}.request.url", "value");
}
