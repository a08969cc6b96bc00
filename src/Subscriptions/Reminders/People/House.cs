using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirStore;

namespace Subscriptions.Reminders.People;

/// <summary>What messages say of the house.</summary>
/// <param name="Name">Of the organization; empty where nobody has given one.</param>
/// <param name="Address">Street and town: where to go, not what for.</param>
/// <param name="TimeZone">Of the place; null where nobody has said.</param>
/// <param name="Preferences">What services and places say of reminders, the one that counts first.</param>
/// <param name="Sources">What this was read from, and at which version.</param>
internal sealed record Place(
    string Name, string Phone, string Address, string? TimeZone, ResourceKey? Location, ImmutableArray<Preferences> Preferences, ImmutableArray<Source> Sources)
{
    public static Place Unknown { get; } = new("", "", "", null, null, [], []);
}

/// <summary>A resource that a plan rests on, as it was read.</summary>
internal readonly record struct Source(ResourceKey Key, long Version);

/// <summary>
/// Reads who works where: the same few resources for thousands of visits, so what was read is kept for some seconds. Who only words a
/// message may take it as it is; who plans commits under the condition that it still stands at the version that was read.
/// </summary>
internal sealed class House(ResourceStore store, string? baseUrl, TimeProvider clock)
{
    private const int MostKept = 5_000;
    private const int MostSteps = 6;
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<ResourceKey, (Kept What, long Read)> _kept = new();

    private readonly record struct Kept(JsonElement? Root, long Version);

    /// <summary>Forgets what has changed in this process's sight.</summary>
    public void Forget(ResourceKey key) => _kept.TryRemove(key, out _);

    public ValueTask<Place> OfAsync(Visit visit, CancellationToken ct) => OfAsync(visit.Actors, visit.Slot, ct);

    /// <param name="slot">Whose schedule tells service and place where the actors do not.</param>
    public async ValueTask<Place> OfAsync(ImmutableArray<ResourceKey> taking, ResourceKey? slot, CancellationToken ct)
    {
        var (services, locations) = (new List<ResourceKey>(), new List<ResourceKey>());
        Collect(taking, services, locations);
        if ((services.Count == 0 || locations.Count == 0) && slot is { } known)
        {
            Collect(await ActorsOfAsync(known, ct), services, locations);
        }
        var sources = ImmutableArray.CreateBuilder<Source>();
        var preferences = ImmutableArray.CreateBuilder<Preferences>();
        var organization = (ResourceKey?)null;
        foreach (var service in services)
        {
            if (await ReadKeptAsync(service, ct) is { Root: { } root } read)
            {
                sources.Add(new(service, read.Version));
                organization ??= root.PartOf("providedBy"u8)?.Target(baseUrl);
                AddIfAny(preferences, root);
            }
        }
        var (phone, address, zone, siteName) = ("", "", (string?)null, "");
        var place = locations.Count > 0 ? locations[0] : (ResourceKey?)null;
        var next = place;
        for (var step = 0; step < MostSteps && next is { Type: "Location" } key && await ReadKeptAsync(key, ct) is { Root: { } root } read; step++)
        {
            sources.Add(new(key, read.Version));
            AddIfAny(preferences, root);
            zone ??= root.TimeZone();
            phone = phone.Length > 0 ? phone : PhoneOf(root);
            address = address.Length > 0 ? address : AddressOf(root);
            siteName = root.TextOf("name"u8) ?? siteName; // the last one is the whole house; a room's or a ward's name says too much
            organization ??= root.PartOf("managingOrganization"u8)?.Target(baseUrl);
            next = root.PartOf("partOf"u8)?.Target(baseUrl);
        }
        var name = "";
        for (var step = 0; step < MostSteps && organization is { Type: "Organization" } key && await ReadAsync(key, ct) is { } root; step++)
        {
            name = root.TextOf("name"u8) ?? name; // of a department's organizations the last one is the clinic
            phone = phone.Length > 0 ? phone : PhoneOf(root);
            organization = root.PartOf("partOf"u8)?.Target(baseUrl);
        }
        return new(name.Length > 0 ? name : siteName, phone, address, zone, place, preferences.DrainToImmutable(), sources.DrainToImmutable());
    }

    /// <summary>The Practitioner that a PractitionerRole is of; itself where it is one.</summary>
    public async ValueTask<ResourceKey?> PractitionerOfAsync(ResourceKey actor, CancellationToken ct) =>
        actor.Type == "Practitioner" ? actor
        : actor.Type == "PractitionerRole" && await ReadAsync(actor, ct) is { } role ? role.PartOf("practitioner"u8)?.Target(baseUrl)
        : null;

    /// <returns>Null where there is none.</returns>
    public async ValueTask<JsonElement?> ReadAsync(ResourceKey key, CancellationToken ct) => (await ReadKeptAsync(key, ct)).Root;

    private async ValueTask<Kept> ReadKeptAsync(ResourceKey key, CancellationToken ct)
    {
        if (_kept.TryGetValue(key, out var kept) && clock.GetElapsedTime(kept.Read) < Lifetime)
        {
            return kept.What;
        }
        var read = clock.GetTimestamp();
        var resource = await store.ReadAsync(key, ct);
        var what = new Kept(resource is { Deleted: false } ? JsonElement.Parse(resource.Json.Span) : null, resource?.Version ?? 0);
        if (_kept.Count >= MostKept)
        {
            _kept.Clear();
        }
        _kept[key] = (what, read);
        return what;
    }

    /// <summary>Slots are many and each is asked for once or twice: they are not kept.</summary>
    public async ValueTask<ResourceKey?> ScheduleOfAsync(ResourceKey slot, CancellationToken ct) =>
        await store.ReadAsync(slot, ct) is { Deleted: false } resource && JsonElement.Parse(resource.Json.Span).PartOf("schedule"u8)?.Target(baseUrl) is { Type: "Schedule" } schedule ? schedule : null;

    private async ValueTask<IEnumerable<ResourceKey>> ActorsOfAsync(ResourceKey slot, CancellationToken ct) =>
        await ScheduleOfAsync(slot, ct) is { } schedule && await ReadAsync(schedule, ct) is { } root
            ? root.ItemsOf("actor"u8).Select(actor => actor.Target(baseUrl)).OfType<ResourceKey>()
            : [];

    private static void Collect(IEnumerable<ResourceKey> actors, List<ResourceKey> services, List<ResourceKey> locations)
    {
        foreach (var actor in actors)
        {
            var list = actor.Type switch { "HealthcareService" => services, "Location" => locations, _ => null };
            if (list?.Contains(actor) is false)
            {
                list.Add(actor);
            }
        }
    }

    private static void AddIfAny(ImmutableArray<Preferences>.Builder preferences, JsonElement root)
    {
        if (Preferences.Of(root) is { } said)
        {
            preferences.Add(said);
        }
    }

    private static string PhoneOf(JsonElement root) =>
        root.ItemsOf("telecom"u8).FirstOrDefault(point => point.TextOf("system"u8) == "phone" && point.TextOf("use"u8) != "old").TextOf("value"u8) ?? "";

    private static string AddressOf(JsonElement root)
    {
        if (root.PartOf("address"u8) is not { } address)
        {
            return "";
        }
        var street = string.Join(", ", address.ItemsOf("line"u8).Select(line => line.GetString()));
        var town = $"{address.TextOf("postalCode"u8)} {address.TextOf("city"u8)}".Trim();
        return street.Length == 0 || town.Length == 0 ? street + town : $"{street}, {town}";
    }
}
