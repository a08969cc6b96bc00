using System.Collections.Immutable;
using FhirCore;
using FhirServer.Auditing;
using FhirServer.Http;
using FhirServer.Provenances;
using FhirServer.Subscriptions;
using FhirStore;
using FhirStore.Json;
using FhirStore.Writing;

namespace FhirServer.Interactions;

/// <summary>create, update and delete with their conditional forms, https://hl7.org/fhir/R4/http.html#create.</summary>
internal sealed class WriteInteractions(ResourceStore store)
{
    public async ValueTask<FhirReply> WriteAsync(FhirRequest request, CancellationToken ct)
    {
        if (!WriteRequests.Make(request).TryGet(out var write, out var failure))
        {
            return FhirReply.Refused(failure);
        }
        ImmutableArray<WriteRequest> writes = [write];
        if (request.Provenance is { } provenance && !XProvenance.Add(provenance, request, writes).TryGet(out writes, out failure))
        {
            return FhirReply.Refused(failure);
        }
        return (await store.WriteAsync(writes, request.Caller, ct)).TryGet(out var outcomes, out failure)
            ? WriteReplies.Of(request, outcomes[0])
            : FhirReply.Refused(failure);
    }
}

/// <summary>From what HTTP or a Bundle entry says to what the store is asked to do.</summary>
internal static class WriteRequests
{
    public static Outcome<WriteRequest> Make(FhirRequest request) =>
        Read(request).TryGet(out var write, out var failure) ? SubscriptionOwner.Mark(request, write) : failure;

    private static Outcome<WriteRequest> Read(FhirRequest request) => request switch
    {
        _ when AuditEvents.IsOwn(request) => AuditEvents.Fixed,
        // "Only where there is none yet" would be ignored otherwise, and somebody's data written over.
        { Method: "PUT" or "DELETE", IfNoneMatch: not null } => FhirFailure.Of(FailureKind.Invalid, "If-None-Match is not offered on writes; use If-Match, or If-None-Exist on a create.", code: "not-supported"),
        { Route.Kind: RouteKind.Type, Method: "POST" } => Create(request),
        { Route.Kind: RouteKind.Type, Method: "PUT" } => ConditionalUpdate(request),
        { Route.Kind: RouteKind.Type, Method: "DELETE" } => ConditionalDelete(request),
        { Route.Kind: RouteKind.Instance, Method: "PUT" } => Update(request),
        { Route.Kind: RouteKind.Instance, Method: "DELETE" } => Delete(request),
        _ => throw new ArgumentException($"{request.Method} {request.Route.Kind} is no write.", nameof(request)),
    };

    private static Outcome<WriteRequest> Create(FhirRequest request)
    {
        if (!ResourceParser.Parse(request.Body, request.Route.Type, request.InTransaction).TryGet(out var resource, out var failure))
        {
            return failure;
        }
        ImmutableArray<KeyValuePair<string, string>> criteria = [];
        if (request.IfNoneExist is { } header)
        {
            var question = header.IndexOf('?', StringComparison.Ordinal);
            if (!QueryParameters.Parse(header.AsSpan(question + 1)).TryGet(out criteria, out failure))
            {
                return failure;
            }
            if (criteria.IsEmpty)
            {
                return FhirFailure.Of(FailureKind.Invalid, "If-None-Exist takes search criteria, such as identifier=http://example.org|123.", code: "required");
            }
        }
        return new WriteRequest.Create(resource, criteria) { Location = request.Location };
    }

    private static Outcome<WriteRequest> Update(FhirRequest request)
    {
        if (!ETags.ParseIfMatch(request.IfMatch).TryGet(out var ifMatch, out var failure)
            || !ResourceParser.Parse(request.Body, request.Route.Type, request.InTransaction).TryGet(out var resource, out failure))
        {
            return failure;
        }
        if (resource.Id is null)
        {
            return FhirFailure.Of(FailureKind.Invalid, "An update carries the id in the body, the same as in the URL.", $"{resource.Type}.id", "required");
        }
        if (resource.Id != request.Route.Id)
        {
            return FhirFailure.Of(FailureKind.Invalid, "The id in the body is not the id in the URL.", $"{resource.Type}.id", "value");
        }
        return new WriteRequest.Update(request.Route.Key, resource, ifMatch) { Location = request.Location };
    }

    private static Outcome<WriteRequest> ConditionalUpdate(FhirRequest request)
    {
        if (!ETags.ParseIfMatch(request.IfMatch).TryGet(out var ifMatch, out var failure)
            || !Criteria(request).TryGet(out var criteria, out failure)
            || !ResourceParser.Parse(request.Body, request.Route.Type, request.InTransaction).TryGet(out var resource, out failure))
        {
            return failure;
        }
        return new WriteRequest.ConditionalUpdate(resource, criteria, ifMatch) { Location = request.Location };
    }

    private static Outcome<WriteRequest> Delete(FhirRequest request) =>
        ETags.ParseIfMatch(request.IfMatch).TryGet(out var ifMatch, out var failure)
            ? new WriteRequest.Delete(request.Route.Key, ifMatch) { Location = request.Location }
            : failure;

    private static Outcome<WriteRequest> ConditionalDelete(FhirRequest request) =>
        Criteria(request).TryGet(out var criteria, out var failure)
            ? new WriteRequest.ConditionalDelete(request.Route.Type!, criteria) { Location = request.Location }
            : failure;

    private static Outcome<ImmutableArray<KeyValuePair<string, string>>> Criteria(FhirRequest request)
    {
        ImmutableArray<KeyValuePair<string, string>> criteria = [.. request.Query.Where(pair => pair.Key is not ("_format" or "_pretty"))];
        return criteria.IsEmpty
            ? FhirFailure.Of(FailureKind.Invalid, $"A conditional {request.Method} needs search criteria in the URL.", code: "required")
            : criteria;
    }
}

/// <summary>From what the store has done to what the client is told.</summary>
internal static class WriteReplies
{
    private static readonly ReadOnlyMemory<byte> Done = OutcomeJson.Write([Issue.Information("informational", "The interaction was carried out.")]);

    public static FhirReply Of(FhirRequest request, WriteOutcome outcome)
    {
        var prefer = request.Prefer.Return;
        if (outcome.Kind == WriteKind.Deleted || outcome.Resource is null or { Deleted: true })
        {
            return prefer == ReturnPreference.OperationOutcome
                ? new() { Status = 200, Body = Done, Version = outcome.Resource?.Version, Resource = outcome.Resource }
                : new() { Status = 204, Version = outcome.Resource?.Version, Resource = outcome.Resource };
        }
        var resource = outcome.Resource;
        return new()
        {
            Status = outcome.Kind == WriteKind.Created ? 201 : 200,
            Body = prefer switch
            {
                ReturnPreference.Minimal => default,
                ReturnPreference.OperationOutcome => Done,
                ReturnPreference.Unset when request.Location is not null => default,
                _ => resource.Json,
            },
            Version = resource.Version,
            LastModified = resource.LastUpdated,
            Resource = resource,
            Location = $"{request.Base.Url}/{resource.Key}/_history/{resource.Version}",
        };
    }
}
