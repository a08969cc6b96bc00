using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using FhirCore;
using FhirStore;

namespace Subscriptions.Reminders.People;

/// <summary>An Appointment as far as messages care.</summary>
/// <param name="Status">Null where it is deleted.</param>
/// <param name="Actors">Who and what takes part, those who have declined aside.</param>
internal sealed record Visit(
    string Id, long Version, string? Status, DateTimeOffset? Start, DateTimeOffset? End, ImmutableArray<ResourceKey> Actors, ResourceKey? Slot, DateTimeOffset LastUpdated)
{
    /// <summary>It will take place as it stands.</summary>
    public bool IsBooked => Status == "booked" && Start is not null;

    /// <summary>It will not take place, or is not known to: what is told of it is that.</summary>
    public bool IsOff => Status is null or "cancelled" or "entered-in-error" or "proposed" or "waitlist" or "pending";

    public IEnumerable<ResourceKey> Patients => Actors.Where(actor => actor.Type == "Patient");

    public bool Has(string recipient) => Actors.Any(actor => actor.ToString() == recipient);

    /// <summary>There never was such an appointment.</summary>
    public static Visit None(ResourceKey key) => new(key.Id, 0, null, null, null, [], null, default);

    /// <param name="baseUrl">Of references, with a slash at its end.</param>
    public static Visit Of(StoredResource resource, string? baseUrl)
    {
        if (resource.Deleted)
        {
            return new(resource.Key.Id, resource.Version, null, null, null, [], null, resource.LastUpdated);
        }
        var root = JsonElement.Parse(resource.Json.Span);
        var actors = ImmutableArray.CreateBuilder<ResourceKey>();
        foreach (var participant in root.ItemsOf("participant"u8))
        {
            if (participant.TextOf("status"u8) != "declined" && participant.PartOf("actor"u8)?.Target(baseUrl) is { } actor && !actors.Contains(actor))
            {
                actors.Add(actor);
            }
        }
        var start = Time(root, "start"u8);
        var end = Time(root, "end"u8);
        return new(
            resource.Key.Id, resource.Version, root.TextOf("status"u8), start, end > start ? end : start, actors.DrainToImmutable(),
            root.ItemsOf("slot"u8).Select(slot => slot.Target(baseUrl)).FirstOrDefault(slot => slot is { Type: "Slot" }), resource.LastUpdated);
    }

    private static DateTimeOffset? Time(JsonElement root, ReadOnlySpan<byte> name) =>
        root.TextOf(name) is { Length: >= 20 } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.ToUniversalTime() : null;
}
