using System.Text.Json;
using FhirCore;
using FhirStore.Access;

namespace FhirStore.Writing;

/// <summary>
/// Whether what a caller writes is theirs to write: the resource as it stands and as it will be. Part of making the plan, so it is asked
/// again on every attempt to commit, of the very versions that the commit rests on.
/// </summary>
internal static class WriteReach
{
    private static readonly JsonDocumentOptions Depth = new() { MaxDepth = 1_000 };

    /// <summary>
    /// Asked before anything is said of the resource's version or existence. To a limited caller a resource out of reach and an id that
    /// was never given look the same: so an update cannot create under an id of the client's choice either.
    /// </summary>
    public static async ValueTask<FhirFailure?> CheckTargetAsync(WritePlan plan, Use use, ResourceKey key, StoredResource? current, CancellationToken ct)
    {
        if (plan.Caller?.Reach(use, key.Type) is not { IsEverything: false } reach)
        {
            return null;
        }
        var content = current is { Deleted: true } ? await plan.ContentBeforeAsync(current, ct) : current;
        return content is not null && reach.Admits(content) ? null : Refuse(use, key.Type);
    }

    public static FhirFailure? Check(WritePlan plan)
    {
        if (plan.Caller is not { } caller)
        {
            return null;
        }
        foreach (var write in plan.Writes)
        {
            if (write.AskedFor is { } use && Check(caller, use, write) is { } refusal)
            {
                return write.Location is null ? refusal : refusal with { Issues = [.. refusal.Issues.Select(issue => issue with { Expression = write.Location })] };
            }
        }
        return null;
    }

    private static FhirFailure? Check(ICaller caller, Use use, PlannedWrite write)
    {
        var reach = caller.Reach(use, write.Key.Type);
        using var before = write.Previous is { Deleted: false } previous ? JsonDocument.Parse(previous.Json, Depth) : null;
        // A resource that is created has nothing before it but, at most, a deletion of its own.
        if (before is not null && !reach.Admits(write.Key, before.RootElement) || write.Resource is { } after && !reach.Admits(write.Key, after))
        {
            return Refuse(use, write.Key.Type);
        }
        return write.Vouched ? null : caller.Object(write.Key, before?.RootElement, write.Resource);
    }

    private static FhirFailure Refuse(Use use, string type) => FhirFailure.Of(FailureKind.Forbidden, use switch
    {
        Use.Create => $"The token does not allow to create this {type}: it must lie within what the token reaches (its patient, organization or scope filter).",
        Use.Delete => $"The token does not allow to delete this {type}: it is not within what the token reaches, or there is none.",
        _ => $"The token does not allow to update this {type}: as it stands and as it is sent it must lie within what the token reaches, and exist.",
    });
}
