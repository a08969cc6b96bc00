using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirStore;
using FhirStore.Access;
using FhirStore.Search;
using Forecasting.Series;

namespace Forecasting.Serving;

/// <summary>One resource, opened.</summary>
internal sealed record Entry(StoredResource Resource, JsonElement Root)
{
    public ResourceKey Key => Resource.Key;
}

/// <summary>Who works where: practitioners, roles, places, services and schedules, as they stand now.</summary>
internal sealed class LoadDirectory(ResourceStore store, SearchService search, LoadOptions options)
{
    private const string PageSize = "200";

    /// <summary>Places in places; a circle ends here.</summary>
    private const int DeepestPlace = 8;

    /// <returns>Null where there is none, or none any more.</returns>
    public async ValueTask<Entry?> ReadAsync(ResourceKey key, CancellationToken ct) =>
        await store.ReadAsync(key, ct) is { Deleted: false } resource ? new(resource, JsonElement.Parse(resource.Json.Span)) : null;

    /// <param name="parameter">Null for all of the type.</param>
    /// <param name="caller">Null finds everything.</param>
    public ValueTask<List<Entry>> SearchAsync(string type, string? parameter, string? value, ICaller? caller, CancellationToken ct) =>
        SearchAsync(type, parameter is null ? [] : [new(parameter, value!)], caller, ct);

    public async ValueTask<List<Entry>> SearchAsync(string type, ImmutableArray<KeyValuePair<string, string>> parameters, ICaller? caller, CancellationToken ct)
    {
        var found = new List<Entry>();
        string? next = null;
        do
        {
            if (!(await search.SearchAsync(new(type, [.. parameters, new("_count", PageSize), new("_sort", "_id")], Strict: true, next, caller), ct)).TryGet(out var page, out var failure))
            {
                throw new InvalidOperationException($"The search for {type} was refused: {failure.Issues[0].Diagnostics}");
            }
            found.AddRange(page.Matches.Select(match => new Entry(match, JsonElement.Parse(match.Json.Span))));
            next = page.Next;
        }
        while (next is not null);
        return found;
    }

    public ValueTask<List<Entry>> RolesAsync(string practitioner, CancellationToken ct) =>
        SearchAsync("PractitionerRole", "practitioner", $"Practitioner/{practitioner}", null, ct);

    /// <summary>Schedules of any of these actors.</summary>
    public async ValueTask<List<Entry>> SchedulesAsync(IEnumerable<ResourceKey> actors, CancellationToken ct)
    {
        var found = new Dictionary<ResourceKey, Entry>();
        foreach (var actor in actors)
        {
            foreach (var schedule in await SearchAsync("Schedule", "actor", actor.ToString(), null, ct))
            {
                found.TryAdd(schedule.Key, schedule);
            }
        }
        return [.. found.Values];
    }

    /// <summary>The place and all that is part of it.</summary>
    public async ValueTask<HashSet<string>> WithPartsAsync(string location, CancellationToken ct)
    {
        var all = new HashSet<string>(StringComparer.Ordinal) { location };
        var level = new List<string> { location };
        for (var depth = 0; depth < DeepestPlace && level.Count > 0; depth++)
        {
            var next = new List<string>();
            foreach (var place in level)
            {
                next.AddRange((await SearchAsync("Location", "partof", $"Location/{place}", null, ct)).Select(part => part.Key.Id).Where(all.Add));
            }
            level = next;
        }
        return all;
    }

    /// <summary>Name to be shown: of a person the official one, as text.</summary>
    public string TitleOf(Entry entry) => entry.Key.Type switch
    {
        "Practitioner" => NameOf(entry.Root) ?? entry.Key.ToString(),
        "Schedule" => entry.Root.Items("actor").Select(actor => actor.Text("display")).FirstOrDefault(display => display is not null) ?? entry.Key.ToString(),
        _ => entry.Root.Text("name") ?? entry.Key.ToString(),
    };

    public IEnumerable<ResourceKey> Actors(Entry schedule) =>
        schedule.Root.Items("actor").Select(actor => actor.Target(options.BaseUrl)).Where(key => key is not null).Select(key => key!.Value);

    /// <summary>What a reference of the resource names.</summary>
    public ResourceKey? Target(Entry entry, string element) => entry.Root.Of(element)?.Target(options.BaseUrl);

    public IEnumerable<ResourceKey> Targets(Entry entry, string element) =>
        entry.Root.Items(element).Select(reference => reference.Target(options.BaseUrl)).Where(key => key is not null).Select(key => key!.Value);

    private static string? NameOf(JsonElement person)
    {
        var name = person.Items("name").OrderBy(name => name.Text("use") == "official" ? 0 : 1).FirstOrDefault();
        if (name.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        var parts = name.Items("prefix").Concat(name.Items("given")).Where(part => part.ValueKind == JsonValueKind.String).Select(part => part.GetString()).Append(name.Text("family"));
        return name.Text("text") ?? string.Join(' ', parts.Where(part => !string.IsNullOrEmpty(part)));
    }
}
