using FhirCore;
using Forecasting.Daily;
using Forecasting.Series;

namespace Forecasting.Serving;

/// <summary>Breaks a subject's load down by practitioner, place or service: every visit is in exactly one part.</summary>
internal sealed class PartReader(LoadDirectory directory, SubjectReader subjects, LoadReader reader, ForecastBook book)
{
    private const int MostParts = 200;

    /// <summary>Parts without a visit for so long, and none ahead, are shown as one.</summary>
    private const int RecentDays = 182;

    private const int HistoryDays = 5 * 366;

    /// <param name="type">Practitioner, Location or HealthcareService.</param>
    public async Task<Outcome<IReadOnlyList<SubjectForecast>>> ReadAsync(SubjectForecast whole, string type, CancellationToken ct)
    {
        var (subject, today) = (whole.Subject, whole.Today);
        var from = today.AddDays(-HistoryDays);
        var services = type == "HealthcareService" ? await ServicesAsync(ct) : [];
        var parts = await reader.ReadByAsync(subject.Filter, key => PartOf(key, type, services), from, today.AddDays(DailyForecaster.LongestHorizon), ct);
        var recent = parts.Where(part => part.Value.Any(today.AddDays(-RecentDays))).OrderBy(part => part.Key, StringComparer.Ordinal).ToList();
        if (recent.Count > MostParts)
        {
            return FhirFailure.Of(FailureKind.Unprocessable, $"There are more than {MostParts} parts; ask for them one by one.", "parts", "too-costly");
        }
        var calendar = await book.CalendarAsync(subject, today, ct);
        var all = new List<SubjectForecast>(recent.Count + 1);
        foreach (var (name, counts) in recent)
        {
            var entry = name.Length == 0 || !ResourceKey.TryParse(name, out var key) ? null : await directory.ReadAsync(key, ct);
            var part = entry is null
                ? subject with { Key = null, Title = name.Length == 0 ? $"no {type}" : name, Within = subject.Key }
                : await subjects.ReadAsync(entry, ct) with { Zone = subject.Zone, Within = subject.Key };
            all.Add(await book.GetAsync(part, whole.Measure, counts, entry is null ? calendar : await book.CalendarAsync(part, today, ct), today, ct));
        }
        var others = parts.Where(part => !part.Value.Any(today.AddDays(-RecentDays))).Select(part => part.Value).ToList();
        if (others.Count > 0)
        {
            var part = subject with { Key = null, Title = "others", Within = subject.Key };
            all.Add(await book.GetAsync(part, whole.Measure, LoadCounts.Sum(others), calendar, today, ct));
        }
        return all;
    }

    /// <summary>A service, the codes of its types, and its places; no places where it is anywhere.</summary>
    private sealed record Service(string Id, HashSet<string> Types, HashSet<string> Places);

    private async ValueTask<List<Service>> ServicesAsync(CancellationToken ct)
    {
        var services = new List<Service>();
        foreach (var entry in await directory.SearchAsync("HealthcareService", null, null, null, ct))
        {
            var places = new HashSet<string>(StringComparer.Ordinal);
            foreach (var place in directory.Targets(entry, "location"))
            {
                places.UnionWith(await directory.WithPartsAsync(place.Id, ct));
            }
            services.Add(new(entry.Key.Id, [.. entry.Root.Codes("type")], places));
        }
        return services;
    }

    private static string? PartOf(LoadKey key, string type, List<Service> services) => type switch
    {
        "Practitioner" => key.Practitioner is { } practitioner ? $"Practitioner/{practitioner}" : null,
        "Location" => key.Location is { } location ? $"Location/{location}" : null,
        "HealthcareService" => (key.Service ?? ServiceOf(key, services)) is { } service ? $"HealthcareService/{service}" : key.Type,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Say here which part of a key it is."),
    };

    /// <summary>Visits from before a booking named its service: the one service of their type at their place.</summary>
    private static string? ServiceOf(LoadKey key, List<Service> services)
    {
        var fitting = services.FindAll(service => key.Type is { } type && service.Types.Contains(type) && (service.Places.Count == 0 || (key.Location is { } place && service.Places.Contains(place))));
        return fitting.Count == 1 ? fitting[0].Id : null;
    }
}
