using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirStore.Access;
using FhirStore.Json;
using FhirStore.Search;

namespace FhirStore.Writing;

/// <summary>What became of one request while its plan was made.</summary>
/// <param name="Key">The planned write; null where nothing is written.</param>
/// <param name="Found">Where nothing is written: the resource that stands there, if any.</param>
internal readonly record struct ResolvedRequest(WriteKind Kind, ResourceKey? Key, StoredResource? Found);

/// <summary>
/// Turns requests into planned writes: finds what conditional interactions mean, checks versions, gives ids, and makes references
/// between the entries of a transaction point at what they became. https://hl7.org/fhir/R4/http.html#transaction
/// </summary>
internal sealed class RequestResolver(SearchService search, TimeProvider clock)
{
    private readonly CriteriaMatcher _matcher = new(search);
    private sealed record Target(WriteKind Kind, ResourceKey? Key, StoredResource? Previous, StoredResource? Found, Use Use);

    public async ValueTask<Outcome<ImmutableArray<ResolvedRequest>>> ResolveAsync(ImmutableArray<WriteRequest> requests, WritePlan plan, CancellationToken ct)
    {
        var targets = new Target[requests.Length];
        for (var i = 0; i < requests.Length; i++)
        {
            if (!(await ResolveAsync(requests[i], plan, ct)).TryGet(out var target, out var failure))
            {
                return Located(failure, requests[i].Location);
            }
            targets[i] = target;
        }
        if (requests.Length > 1 && FindRepeated(requests, targets) is { } repeated)
        {
            return repeated;
        }
        var references = await TransactionReferences.ResolveAsync(requests, i => targets[i].Key ?? targets[i].Found?.Key, _matcher, plan, ct);
        if (!references.TryGet(out var renamed, out var unresolved))
        {
            return unresolved;
        }
        var resolved = ImmutableArray.CreateBuilder<ResolvedRequest>(requests.Length);
        for (var i = 0; i < requests.Length; i++)
        {
            var (request, target) = (requests[i], targets[i]);
            if (target.Key is { } key)
            {
                var resource = request.Body?.Root;
                if (resource is { } root && renamed.Count > 0)
                {
                    resource = renamed.Apply(root);
                }
                plan.Add(new(key, target.Previous, resource, request.Cause ?? CauseOf(target.Kind), request.Location) { AskedFor = target.Use, InNameOf = request.InNameOf });
            }
            resolved.Add(new(target.Kind, target.Key, target.Found));
        }
        return resolved.MoveToImmutable();
    }

    private async ValueTask<Outcome<Target>> ResolveAsync(WriteRequest request, WritePlan plan, CancellationToken ct)
    {
        switch (request)
        {
            case WriteRequest.Create { IfNoneExist.IsDefaultOrEmpty: true } create:
                return new Target(WriteKind.Created, new(create.Resource.Type, FhirIds.New(clock)), null, null, Use.Create);

            case WriteRequest.Create create:
                return (await _matcher.FindAsync(create.Resource.Type, create.IfNoneExist, plan, ct)).TryGet(out var found, out var why)
                    ? found is { } existing
                        ? new Target(WriteKind.Unchanged, null, null, existing, Use.Create)
                        : new Target(WriteKind.Created, new(create.Resource.Type, FhirIds.New(clock)), null, null, Use.Create)
                    : why;

            case WriteRequest.Update update:
                return update.Resource.Id == update.Key.Id
                    ? await UpdateAsync(update.Key, update.IfMatch, plan, ct)
                    : FhirFailure.Of(FailureKind.Invalid, update.Resource.Id is null
                        ? "The resource has no id; an update needs the id of its URL in the body."
                        : "The id in the resource is not the id in the URL.", $"{update.Resource.Type}.id");

            case WriteRequest.ConditionalUpdate update:
                if (!(await _matcher.FindAsync(update.Resource.Type, update.Criteria, plan, ct)).TryGet(out var match, out var refused))
                {
                    return refused;
                }
                if (match is null)
                {
                    return update.Resource.Id is { } own
                        ? await UpdateAsync(new(update.Resource.Type, own), update.IfMatch, plan, ct)
                        : await FindVersionAsync(new(update.Resource.Type, FhirIds.New(clock)), update.IfMatch, plan, ct);
                }
                return update.Resource.Id is null || update.Resource.Id == match.Key.Id
                    ? await UpdateAsync(match.Key, update.IfMatch, plan, ct)
                    : FhirFailure.Of(FailureKind.Invalid, "The criteria match a resource whose id is not the id in the body.", $"{update.Resource.Type}.id");

            case WriteRequest.Delete delete:
                return await DeleteAsync(delete.Key, delete.IfMatch, plan, ct);

            case WriteRequest.ConditionalDelete delete:
                return (await _matcher.FindAsync(delete.Type, delete.Criteria, plan, ct)).TryGet(out var doomed, out var unclear)
                    ? doomed is null ? new Target(WriteKind.Unchanged, null, null, null, Use.Delete) : await DeleteAsync(doomed.Key, null, plan, ct)
                    : unclear;

            default:
                throw new ArgumentOutOfRangeException(nameof(request), request.GetType().Name, "Add the new request to this table.");
        }
    }

    private static async ValueTask<Outcome<Target>> UpdateAsync(ResourceKey key, long? ifMatch, WritePlan plan, CancellationToken ct) =>
        await WriteReach.CheckTargetAsync(plan, Use.Update, key, await plan.ReadAsync(key, ct), ct) is { } forbidden
            ? forbidden
            : await FindVersionAsync(key, ifMatch, plan, ct);

    private static async ValueTask<Outcome<Target>> FindVersionAsync(ResourceKey key, long? ifMatch, WritePlan plan, CancellationToken ct)
    {
        var current = await plan.ReadAsync(key, ct);
        if (StaleVersion(key, ifMatch, current) is { } stale)
        {
            return stale;
        }
        return new Target(current is null or { Deleted: true } ? WriteKind.Created : WriteKind.Updated, key, current, null, Use.Update);
    }

    private static async ValueTask<Outcome<Target>> DeleteAsync(ResourceKey key, long? ifMatch, WritePlan plan, CancellationToken ct)
    {
        var current = await plan.ReadAsync(key, ct);
        if (await WriteReach.CheckTargetAsync(plan, Use.Delete, key, current, ct) is { } forbidden)
        {
            return forbidden;
        }
        if (StaleVersion(key, ifMatch, current) is { } stale)
        {
            return stale;
        }
        return current is null or { Deleted: true } ? new Target(WriteKind.Unchanged, null, null, current, Use.Delete) : new Target(WriteKind.Deleted, key, current, null, Use.Delete);
    }

    private static FhirFailure? StaleVersion(ResourceKey key, long? ifMatch, StoredResource? current) =>
        ifMatch is not { } wanted || current is { Deleted: false } && current.Version == wanted
            ? null
            : FhirFailure.Of(FailureKind.Stale, current is { Deleted: false }
                ? $"If-Match names version {wanted}; {key.Type} stands at version {current.Version}. Read it again and repeat the change on what you find."
                : $"If-Match names version {wanted}; there is no such {key.Type} now.", key.Type + ".meta.versionId");

    /// <summary>R4: a transaction in which two entries identify the same resource fails as a whole.</summary>
    private static FhirFailure? FindRepeated(ImmutableArray<WriteRequest> requests, Target[] targets)
    {
        var identities = new HashSet<ResourceKey>();
        var creations = new HashSet<string>();
        for (var i = 0; i < requests.Length; i++)
        {
            var key = targets[i].Key ?? (requests[i] is WriteRequest.Create ? null : targets[i].Found?.Key);
            if (key is { } identity && !identities.Add(identity))
            {
                return Located(FhirFailure.Of(FailureKind.Invalid, $"Another entry of this transaction writes the same {identity.Type}. Each resource may stand in it once."), requests[i].Location);
            }
            if (requests[i] is WriteRequest.Create { IfNoneExist.IsDefaultOrEmpty: false } create && targets[i].Key is not null
                && !creations.Add(create.Resource.Type + "?" + string.Join('&', create.IfNoneExist.Select(p => $"{p.Key}={p.Value}").Order(StringComparer.Ordinal))))
            {
                return Located(FhirFailure.Of(FailureKind.Invalid, $"Another entry of this transaction creates a {create.Resource.Type} under the same condition. Keep one of them."), requests[i].Location);
            }
        }
        return null;
    }

    private static string CauseOf(WriteKind kind) => kind switch
    {
        WriteKind.Created => "create",
        WriteKind.Updated => "update",
        _ => "delete",
    };

    private static FhirFailure Located(FhirFailure failure, string? location) => location is null
        ? failure
        : failure with { Issues = [.. failure.Issues.Select(issue => issue with { Expression = issue.Expression is null ? location : $"{location}.resource{Tail(issue.Expression)}" })] };

    private static string Tail(string expression) =>
        expression.IndexOf('.', StringComparison.Ordinal) is var dot and >= 0 ? expression[dot..] : "";
}
