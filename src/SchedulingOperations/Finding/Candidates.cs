using FhirCore;
using FhirStore;
using SchedulingOperations.Booking;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Finding;

/// <summary>Whose schedules are looked at for a request.</summary>
/// <param name="First">Schedules that can serve, best first.</param>
/// <param name="Partners">Schedules of the room (or person) that must be free beside; null where nobody else is needed for such a schedule.</param>
internal sealed record CandidateSet(IReadOnlyList<Candidate> First, Func<Candidate, IReadOnlyList<Candidate>?> Partners);

/// <summary>Turns practitioners, locations, organizations and schedules into schedules to look at.</summary>
internal sealed class Candidates(ResourceStore store, Schedules schedules, SlotQueries queries)
{
    public async ValueTask<Outcome<CandidateSet>> FindAsync(FindRequest request, CancellationToken ct)
    {
        if (!(await RanksAsync(request.Practitioners, ct)).TryGet(out var practitioners, out var failure)
            || !(await RanksAsync(request.Locations, ct)).TryGet(out var locations, out failure)
            || !(await OrganizationAsync(request.Organizations, ct)).TryGet(out var members, out failure))
        {
            return failure;
        }
        if (!(await FirstAsync(request, practitioners, locations, members, ct)).TryGet(out var first, out failure))
        {
            return failure;
        }
        first.RemoveAll(candidate => !Serves(candidate, request) || request.Organizations.Count > 0 && !HasActor(candidate, members));
        var needed = new List<Dictionary<string, int>>();
        if (practitioners.Count > 0)
        {
            needed.Add(practitioners);
        }
        if (locations.Count > 0)
        {
            needed.Add(locations);
        }
        var partners = new List<(Dictionary<string, int> Kind, List<Candidate> Schedules)>();
        foreach (var kind in needed)
        {
            if (first.Exists(candidate => !HasActor(candidate, kind)))
            {
                if (!(await OfActorsAsync(kind, ct)).TryGet(out var own, out failure))
                {
                    return failure;
                }
                partners.Add((kind, own.FindAll(candidate => new ScheduleView(candidate.Schedule).IsActive)));
            }
        }
        return new CandidateSet(first, candidate =>
        {
            IReadOnlyList<Candidate>? beside = null;
            foreach (var (kind, own) in partners)
            {
                if (!HasActor(candidate, kind))
                {
                    // A proposal carries two schedules; where a third is needed nothing is offered.
                    beside = beside is null ? own : own.FindAll(beside.Contains);
                }
            }
            return beside;
        });
    }

    private async ValueTask<Outcome<List<Candidate>>> FirstAsync(
        FindRequest request, Dictionary<string, int> practitioners, Dictionary<string, int> locations, Dictionary<string, int> members, CancellationToken ct)
    {
        if (request.Schedules.Count > 0)
        {
            var named = new List<Candidate>();
            foreach (var reference in request.Schedules)
            {
                if (!ResourceKey.TryParse(reference, out var key) || key.Type != "Schedule" || await store.ReadAsync(key, ct) is not { Deleted: false } stored)
                {
                    return Refusals.Unknown("The schedule", "schedule");
                }
                named.Add(Of(stored, named.Count));
            }
            return named;
        }
        if (practitioners.Count > 0)
        {
            return await OfActorsAsync(practitioners, ct);
        }
        if (locations.Count > 0)
        {
            return await OfActorsAsync(locations, ct);
        }
        if (request.Organizations.Count > 0)
        {
            return await OfActorsAsync(members, ct);
        }
        return (await schedules.AllAsync(ct)).TryGet(out var all, out var failure) ? all.Select(schedule => Of(schedule, 0)).ToList() : failure;
    }

    private async ValueTask<Outcome<List<Candidate>>> OfActorsAsync(Dictionary<string, int> actors, CancellationToken ct)
    {
        var found = new List<Candidate>();
        var seen = new HashSet<ResourceKey>();
        foreach (var (actor, rank) in actors.OrderBy(pair => pair.Value))
        {
            if (!(await schedules.OfActorAsync(actor, ct)).TryGet(out var own, out var failure))
            {
                return failure;
            }
            foreach (var schedule in own)
            {
                if (seen.Add(schedule.Key))
                {
                    found.Add(Of(schedule, rank));
                }
            }
        }
        return found;
    }

    /// <summary>The references asked for with their place in the order; a practitioner's roles stand beside them.</summary>
    private async ValueTask<Outcome<Dictionary<string, int>>> RanksAsync(List<string> asked, CancellationToken ct)
    {
        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < asked.Count; i++)
        {
            if (!(await ResolveAsync(asked[i], ct)).TryGet(out var references, out var failure))
            {
                return failure;
            }
            foreach (var reference in references)
            {
                ranks.TryAdd(reference, i);
                if (!reference.StartsWith("Practitioner/", StringComparison.Ordinal))
                {
                    continue;
                }
                if (!(await schedules.SearchAsync("PractitionerRole", "practitioner", reference, ct)).TryGet(out var roles, out failure))
                {
                    return failure;
                }
                foreach (var role in roles)
                {
                    ranks.TryAdd(role.Key.ToString(), i);
                }
            }
        }
        return ranks;
    }

    /// <summary>Everybody and everything that belongs to the organizations and can have a schedule.</summary>
    private async ValueTask<Outcome<Dictionary<string, int>>> OrganizationAsync(List<string> asked, CancellationToken ct)
    {
        var members = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < asked.Count; i++)
        {
            if (!(await ResolveAsync(asked[i], ct)).TryGet(out var organizations, out var failure))
            {
                return failure;
            }
            foreach (var organization in organizations)
            {
                foreach (var type in (string[])["PractitionerRole", "Location", "HealthcareService"])
                {
                    if (!(await schedules.SearchAsync(type, "organization", organization, ct)).TryGet(out var found, out failure))
                    {
                        return failure;
                    }
                    foreach (var member in found)
                    {
                        members.TryAdd(member.Key.ToString(), i);
                        if (type == "PractitionerRole" && member.Root().TryGetProperty("practitioner"u8, out var practitioner) && References.Text(practitioner) is { } person)
                        {
                            members.TryAdd(person, i);
                        }
                    }
                }
            }
        }
        return members;
    }

    private async ValueTask<Outcome<string[]>> ResolveAsync(string asked, CancellationToken ct)
    {
        var question = asked.IndexOf('?', StringComparison.Ordinal);
        if (question < 0)
        {
            return Some([asked]);
        }
        var found = await schedules.SearchAsync(asked[..question], "identifier", asked[(asked.IndexOf('=', StringComparison.Ordinal) + 1)..], ct);
        return found.TryGet(out var matches, out var failure) ? Some([.. matches.Select(match => match.Key.ToString())]) : failure;

        static Outcome<string[]> Some(string[] references) => references;
    }

    private Candidate Of(StoredResource schedule, int rank) => new(schedule.Key.ToString(), schedule.Root(), queries.ScheduleToken(schedule.Key.ToString()), rank);

    /// <summary>Active, and for the specialty where one is asked for and the schedule names its own (a slot may be narrower).</summary>
    private static bool Serves(Candidate candidate, FindRequest request) =>
        new ScheduleView(candidate.Schedule).IsActive
        && (request.Services.Count == 0 || !ServiceMatch.IsCoded(candidate.Schedule, "serviceType"u8) || ServiceMatch.HasAny(candidate.Schedule, "serviceType"u8, request.Services));

    private static bool HasActor(Candidate candidate, Dictionary<string, int> wanted)
    {
        foreach (var actor in new ScheduleView(candidate.Schedule).Actors)
        {
            if (References.Text(actor) is { } reference && wanted.ContainsKey(reference))
            {
                return true;
            }
        }
        return false;
    }
}
