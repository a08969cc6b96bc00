using FhirCore;

namespace Subscriptions.Reminders.People;

/// <summary>Practitioners as recipients: what stands on their roles counts before what stands on themselves.</summary>
internal sealed class Staff(House house, PhoneReader phones, TimeProvider clock)
{
    /// <summary>The practitioners of a visit, each once, whether they take part themselves or by a role.</summary>
    public async ValueTask<List<Person>> OfAsync(IEnumerable<ResourceKey> actors, CancellationToken ct)
    {
        var all = actors.Where(actor => actor.Type is "Practitioner" or "PractitionerRole").ToArray();
        var found = new List<Person>();
        foreach (var actor in all)
        {
            if (await house.PractitionerOfAsync(actor, ct) is { } practitioner && !found.Exists(person => person.Key == practitioner))
            {
                found.Add(await FindAsync(practitioner, all, ct));
            }
        }
        return found;
    }

    /// <param name="key">A Practitioner, or a PractitionerRole that asks for itself.</param>
    /// <param name="actors">Among them the roles that speak for the practitioner.</param>
    public async ValueTask<Person> FindAsync(ResourceKey key, IEnumerable<ResourceKey> actors, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var practitioner = await house.PractitionerOfAsync(key, ct) ?? key;
        var person = await house.ReadAsync(practitioner, ct) is { } root ? Person.Of(key, root, phones, now) : Person.Nobody(key);
        foreach (var role in actors.Append(key).Where(actor => actor.Type == "PractitionerRole").Distinct())
        {
            if (await house.ReadAsync(role, ct) is { } spoken && await house.PractitionerOfAsync(role, ct) == practitioner)
            {
                var there = Person.Of(key, spoken, phones, now);
                person = person with
                {
                    Emails = [.. there.Emails.Union(person.Emails)],
                    TimeZone = there.TimeZone ?? person.TimeZone,
                    Asks = [.. there.Asks.Union(person.Asks)],
                    Reachable = person.Reachable && there.Reachable,
                };
            }
        }
        return person;
    }

    /// <summary>Whether a practitioner is among the actors, themselves or by a role.</summary>
    public async ValueTask<bool> TakesPartAsync(ResourceKey practitioner, IEnumerable<ResourceKey> actors, CancellationToken ct)
    {
        foreach (var actor in actors)
        {
            if (actor == practitioner || (actor.Type == "PractitionerRole" && await house.PractitionerOfAsync(actor, ct) == practitioner))
            {
                return true;
            }
        }
        return false;
    }
}
