using System.Collections.Immutable;
using FhirCore;
using FhirStore;
using FhirStore.Search;

namespace SchedulingOperations.Finding;

/// <summary>Finds schedules by whose they are.</summary>
internal sealed class Schedules(SearchService search)
{
    /// <summary>Schedules are few; one search page takes all of an actor's.</summary>
    private const string PageSize = "200";

    /// <param name="actor"><c>Type/id</c>.</param>
    public ValueTask<Outcome<ImmutableArray<StoredResource>>> OfActorAsync(string actor, CancellationToken ct) => SearchAsync("Schedule", "actor", actor, ct);

    public ValueTask<Outcome<ImmutableArray<StoredResource>>> AllAsync(CancellationToken ct) => SearchAsync("Schedule", null, null, ct);

    public async ValueTask<Outcome<ImmutableArray<StoredResource>>> SearchAsync(string type, string? parameter, string? value, CancellationToken ct)
    {
        var found = ImmutableArray.CreateBuilder<StoredResource>();
        string? next = null;
        do
        {
            ImmutableArray<KeyValuePair<string, string>> parameters = parameter is null
                ? [new("_count", PageSize)]
                : [new(parameter, value!), new("_count", PageSize)];
            if (!(await search.SearchAsync(new(type, parameters, Strict: true, next), ct)).TryGet(out var page, out var failure))
            {
                return failure;
            }
            found.AddRange(page.Matches);
            next = page.Next;
        }
        while (next is not null);
        return found.ToImmutable();
    }
}
