using System.Collections.Immutable;
using FhirCore;
using FhirServer.Http;
using FhirStore;
using FhirStore.Access;

namespace FhirServer.Interactions;

/// <summary>
/// History for a caller who reaches some resources of a type only: each version is judged by what it holds itself, a deletion by what was
/// deleted. Pages are filled from what is left, so that their lengths tell nothing of the rest.
/// </summary>
internal sealed class LimitedHistory(ResourceStore store)
{
    /// <summary>Versions that one request may look at.</summary>
    private const int Budget = 10_000;
    private const int LargestStep = 500;

    /// <returns>Null where nothing of the instance is within reach.</returns>
    public async ValueTask<Outcome<ResourceHistory>?> HistoryAsync(FhirRoute route, Restriction reach, DateTimeOffset? since, long? before, int count, CancellationToken ct)
    {
        var within = ImmutableArray.CreateBuilder<StoredResource>();
        var looked = 0;
        var from = before;
        var step = count;
        while (true)
        {
            var page = await store.HistoryAsync(route.Type, route.Id, since, from, step, ct);
            looked += page.Versions.Length;
            var last = -1;
            for (var i = 0; i < page.Versions.Length && within.Count < count; i++)
            {
                if (await store.ReadContentAsync(page.Versions[i], ct) is { } content && reach.Admits(content))
                {
                    within.Add(page.Versions[i]);
                }
                last = i;
            }
            if (within.Count == count && last < page.Versions.Length - 1)
            {
                // The page was read further than it is given: where the given part ends is where the next begins.
                var cut = await store.HistoryAsync(route.Type, route.Id, since, from, last + 1, ct);
                return new ResourceHistory(within.ToImmutable(), cut.Next);
            }
            if (page.Next is null)
            {
                break;
            }
            if (within.Count == count)
            {
                return new ResourceHistory(within.ToImmutable(), page.Next);
            }
            if (looked >= Budget)
            {
                return FhirFailure.Of(FailureKind.Invalid, "To fill a page, this history would look at too many versions. Ask for the history of single resources, or give _since.", code: "too-costly");
            }
            from = page.Next;
            step = Math.Min(step * 2, LargestStep);
        }
        return within.Count > 0 || before is not null || route.Id is null || await IsThereAsync(route, reach, ct)
            ? new ResourceHistory(within.ToImmutable(), null)
            : (Outcome<ResourceHistory>?)null;
    }

    private async ValueTask<bool> IsThereAsync(FhirRoute route, Restriction reach, CancellationToken ct) =>
        await store.ReadAsync(route.Key, ct) is { } current && await store.ReadContentAsync(current, ct) is { } content && reach.Admits(content);
}
