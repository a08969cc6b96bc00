using System.Globalization;
using System.Text.Json.Nodes;

namespace Forecasting.Tests.Series;

/// <summary>Counts visits from resources as they stand, the simplest way there is. Knows two zones by their rules and the last Sunday of March 2030.</summary>
internal sealed class NaiveCount
{
    private static readonly DateTimeOffset BerlinSummer = new(2030, 3, 31, 1, 0, 0, TimeSpan.Zero);

    private readonly Dictionary<string, JsonNode> _resources = [];

    public static string Cell(string? practitioner, string? location, DateOnly day, int hour, string state) => $"{practitioner} {location} {day:yyyy-MM-dd} {hour} {state}";

    public void Put(string json)
    {
        var resource = JsonNode.Parse(json)!;
        _resources[$"{resource["resourceType"]}/{resource["id"]}"] = resource;
    }

    public void Remove(string type, string id) => _resources.Remove($"{type}/{id}");

    public SortedDictionary<string, int> Count()
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var (key, appointment) in _resources)
        {
            var state = (string?)appointment["status"] switch
            {
                "proposed" or "pending" or "waitlist" => "Waiting",
                "booked" => "Booked",
                "arrived" or "fulfilled" => "Attended",
                "noshow" => "Missed",
                "cancelled" => "Cancelled",
                _ => null,
            };
            if (!key.StartsWith("Appointment/", StringComparison.Ordinal) || state is null)
            {
                continue;
            }
            var actors = appointment["participant"]!.AsArray().Select(p => (string)p!["actor"]!["reference"]!).ToList();
            var practitioner = actors.Find(actor => actor.StartsWith("Practitioner/", StringComparison.Ordinal))
                ?? (_resources.TryGetValue("PractitionerRole/role", out var role) && actors.Contains("PractitionerRole/role") ? (string)role["practitioner"]!["reference"]! : null);
            var location = actors.Find(actor => actor.StartsWith("Location/", StringComparison.Ordinal))!;
            var local = Wall(DateTimeOffset.Parse((string)appointment["start"]!, CultureInfo.InvariantCulture), location, 0);
            var cell = Cell(practitioner?.Split('/')[1], location.Split('/')[1], DateOnly.FromDateTime(local), local.Hour, state);
            counts[cell] = counts.GetValueOrDefault(cell) + 1;
        }
        return counts;
    }

    private DateTime Wall(DateTimeOffset instant, string location, int depth)
    {
        if (depth == 8 || !_resources.TryGetValue(location, out var place))
        {
            return instant.UtcDateTime;
        }
        return (string?)place["extension"]?[0]?["valueCode"] switch
        {
            "Europe/Berlin" => instant.UtcDateTime.AddHours(instant < BerlinSummer ? 1 : 2),
            "Asia/Kolkata" => instant.UtcDateTime.AddMinutes(330),
            _ => place["partOf"] is { } outer ? Wall(instant, (string)outer["reference"]!, depth + 1) : instant.UtcDateTime,
        };
    }
}
