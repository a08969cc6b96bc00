using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Authorization.Access;
using FhirStore;
using FhirStore.Search;

namespace Authorization.Launch;

/// <summary>The store's own search, under the same decision as every other: whom a user may not see cannot be chosen.</summary>
public sealed class PatientDirectory(SearchService search, Callers callers) : IPatientDirectory
{
    public async ValueTask<PatientSummary?> FindAsync(Grant grant, string id, CancellationToken ct) =>
        await RunAsync(grant, [new("_id", id)], ct) is [var only] ? only : null;

    public async ValueTask<IReadOnlyList<PatientSummary>> SearchAsync(Grant grant, PatientQuery query, int most, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        var criteria = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (var name in query.Name.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            criteria.Add(new("name", QueryText.Escape(name)));
        }
        if (query.Identifier.Length > 0)
        {
            criteria.Add(new("identifier", QueryText.Escape(query.Identifier)));
        }
        if (query.BirthDate.Length > 0)
        {
            if (!DateOnly.TryParseExact(query.BirthDate, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
            {
                return [];
            }
            criteria.Add(new("birthdate", query.BirthDate));
        }
        criteria.Add(new("_count", most.ToString(CultureInfo.InvariantCulture)));
        return await RunAsync(grant, criteria.ToImmutable(), ct);
    }

    private async ValueTask<IReadOnlyList<PatientSummary>> RunAsync(Grant grant, ImmutableArray<KeyValuePair<string, string>> criteria, CancellationToken ct)
    {
        var caller = await callers.OfAsync(grant, breakGlass: false, ct);
        return (await search.SearchAsync(new("Patient", criteria, Strict: true, null, caller), ct)).TryGet(out var page, out _)
            ? [.. page.Matches.Select(Summarise)] : [];
    }

    private static PatientSummary Summarise(StoredResource patient)
    {
        using var document = JsonDocument.Parse(patient.Json);
        var root = document.RootElement;
        return new(patient.Key.Id, NameOf(root) ?? patient.Key.Id, Text(root, "birthDate"), First(root, "identifier") is { } identifier ? Text(identifier, "value") : null);
    }

    private static string? NameOf(JsonElement patient)
    {
        if (First(patient, "name") is not { } name)
        {
            return null;
        }
        if (Text(name, "text") is { } text)
        {
            return text;
        }
        var given = name.TryGetProperty("given", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Where(static part => part.ValueKind == JsonValueKind.String).Select(static part => part.GetString()) : [];
        var whole = string.Join(' ', given.Append(Text(name, "family")).Where(static part => !string.IsNullOrEmpty(part)));
        return whole.Length == 0 ? null : whole;
    }

    private static JsonElement? First(JsonElement element, string name) =>
        element.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0 ? list[0] : null;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
