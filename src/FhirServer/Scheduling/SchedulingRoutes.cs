using System.Collections.Immutable;
using System.Text.Json;
using Authorization.Access;
using FhirCore;
using FhirServer.Http;
using FhirServer.Operations;
using FhirStore.Json;
using SchedulingOperations;

namespace FhirServer.Scheduling;

/// <summary>The scheduling operations over HTTP: paths, methods and headers in, one call to <see cref="SchedulingApi"/>, headers out.</summary>
internal sealed class SchedulingRoutes(SchedulingApi scheduling) : IFhirOperations
{
    private const int LongestKey = 255;

    public IReadOnlyList<OperationOffer> Offers(FhirBase @base, string? type) => SchedulingTable.Offers(@base, type);

    public bool Has(FhirRoute route) => SchedulingTable.Find(route) is not null;

    public async ValueTask<FhirReply> InvokeAsync(FhirRequest request, CancellationToken ct)
    {
        var operation = SchedulingTable.Find(request.Route) ?? throw new ArgumentException("Not an operation of scheduling.", nameof(request));
        if (request.Method != "POST" && operation != SchedulingOperation.Find)
        {
            return FhirReply.MethodNotAllowed(request.Method, "POST");
        }
        if (AccessDecision.Decide(request.Grant, Interaction.Operation, request.Route.Type, request.Route.Tail) is { } refusal)
        {
            return FhirReply.Refused(refusal);
        }
        if (!Read(request, operation).TryGet(out var call, out var failure))
        {
            return FhirReply.Refused(failure);
        }
        return (await scheduling.InvokeAsync(call, ct)).TryGet(out var reply, out failure) ? Answer(reply) : FhirReply.Refused(failure);
    }

    private static Outcome<SchedulingCall> Read(FhirRequest request, SchedulingOperation operation)
    {
        JsonElement? body = null;
        if (!request.Body.IsEmpty)
        {
            if (!ResourceParser.Parse(request.Body, null).TryGet(out var resource, out var failure))
            {
                return failure;
            }
            body = resource.Root;
        }
        if (request.IdempotencyKey is { } key && (key.Length is 0 or > LongestKey || key.AsSpan().ContainsAnyExceptInRange('!', '~')))
        {
            return FhirFailure.Of(FailureKind.Invalid, $"Idempotency-Key is 1 to {LongestKey} printable ASCII characters without spaces.", code: "value");
        }
        if (!ETags.ParseIfMatch(request.IfMatch).TryGet(out var ifMatch, out var malformed) && malformed is not null)
        {
            return malformed;
        }
        return new SchedulingCall
        {
            Operation = operation,
            InstanceId = request.Route.Id,
            Query = [.. request.Query.Where(pair => pair.Key is not ("_format" or "_pretty"))],
            Body = body,
            Dialect = request.Base.Dialect,
            ClientId = request.Grant.Owner,
            Author = new(request.Grant.ClientId, request.Grant.User?.AccountId, request.Grant.User?.FhirUser),
            Caller = request.Caller,
            IdempotencyKey = request.IdempotencyKey,
            IfMatch = ifMatch,
            PreferReturn = request.Prefer.Return switch
            {
                ReturnPreference.Minimal => PreferReturn.Minimal,
                ReturnPreference.OperationOutcome => PreferReturn.OperationOutcome,
                _ => PreferReturn.Representation,
            },
            Strict = request.Prefer.Strict,
            BaseUrl = request.Base.Url,
            MayCreatePatient = AccessDecision.Decide(request.Grant, Interaction.Create, "Patient") is null,
        };
    }

    private static FhirReply Answer(SchedulingReply reply) => new()
    {
        Status = reply.Status,
        Body = reply.Body ?? default,
        Version = reply.Version,
        LastModified = reply.LastUpdated,
        Location = reply.Location,
        Expires = reply.Expires,
        IsReplay = reply.IsReplay,
    };
}
