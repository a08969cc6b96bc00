using System.Collections.Immutable;
using CsCheck;
using FhirCore.Events;
using Forecasting.Series;
using Forecasting.Tests.Support;

namespace Forecasting.Tests.Series;

/// <summary>
/// Whatever becomes of appointments, and in whatever order two lanes tell of it, the series are what somebody would count who looks at the
/// appointments as they stand. That somebody (<see cref="NaiveCount"/>) shares no code with the series.
/// </summary>
public sealed class BookkeepingProperties
{
    private static readonly string[] Statuses = ["proposed", "pending", "booked", "arrived", "fulfilled", "noshow", "cancelled", "waitlist", "entered-in-error"];
    private static readonly string[] Zones = ["", "Europe/Berlin", "Asia/Kolkata"];

    /// <summary>Around a change of the clock in Berlin, 2030-03-31, where days and hours differ most.</summary>
    private static readonly DateTimeOffset Around = new(2030, 3, 30, 12, 0, 0, TimeSpan.Zero);

    private abstract record Step
    {
        public sealed record Write(int Id, int Status, int Minutes, int Practitioner, int Room, int Patient) : Step;

        public sealed record Delete(int Id) : Step;

        /// <summary>Another clock on the wall of a room, or another house around it; it may not have been there before.</summary>
        public sealed record Place(int Room, int Zone, int PartOf) : Step;

        public sealed record Role(int Practitioner) : Step;

        /// <summary>One lane takes the next events, some of them twice.</summary>
        public sealed record Take(int Lane, int Events, bool IsKilled, bool Repeats) : Step;

        public sealed record RecountSteps(int Count) : Step;
    }

    private static readonly Gen<Step> Steps = Gen.Frequency(
        (8, Gen.Select(Gen.Int[0, 5], Gen.Int[0, Statuses.Length - 1], Gen.Int[0, 2880], Gen.Int[0, 3], Gen.Int[0, 3], Gen.Int[0, 3]).Select(Step (a) => new Step.Write(a.Item1, a.Item2, a.Item3, a.Item4, a.Item5, a.Item6))),
        (1, Gen.Int[0, 5].Select(Step (id) => new Step.Delete(id))),
        (3, Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2], Gen.Int[0, 4]).Select(Step (a) => new Step.Place(a.Item1, a.Item2, a.Item3))),
        (1, Gen.Int[0, 2].Select(Step (practitioner) => new Step.Role(practitioner))),
        (6, Gen.Select(Gen.Int[0, 1], Gen.Int[1, 6], Gen.Int[0, 3], Gen.Int[0, 3]).Select(Step (a) => new Step.Take(a.Item1, a.Item2, a.Item3 == 0, a.Item4 == 0))),
        (1, Gen.Int[1, 4].Select(Step (count) => new Step.RecountSteps(count))));

    [Fact]
    public async Task Series_AnyHistoryOnTwoLanes_AreWhatACountFromScratchFinds() => await Steps.Array[1, 60].SampleAsync(async steps =>
    {
        using var house = await House.OpenAsync();
        var (naive, lanes) = (new NaiveCount(), new Lanes(house));
        await house.RecountAsync(); // the one that every store begins with: from here on there must be a cause
        foreach (var step in steps)
        {
            await ApplyAsync(step, house, naive, lanes);
        }
        while (await lanes.TakeAsync(0, 5, false, false) | await lanes.TakeAsync(1, 5, false, false))
        {
        }
        await house.RecountAsync();
        Assert.Equal(naive.Count(), await CountedAsync(house));
    }, iter: 200, threads: 1);

    /// <summary>Without a change of places there is nothing for a recount to mend.</summary>
    [Fact]
    public async Task Recount_AfterAnyHistory_FindsNothingToChange() => await Steps.Array[1, 40].SampleAsync(async steps =>
    {
        using var house = await House.OpenAsync();
        var (naive, lanes) = (new NaiveCount(), new Lanes(house));
        foreach (var step in steps.Where(step => step is not (Step.Place or Step.Role or Step.RecountSteps)))
        {
            await ApplyAsync(step, house, naive, lanes);
        }
        while (await lanes.TakeAsync(0, 5, false, false) | await lanes.TakeAsync(1, 5, false, false))
        {
        }
        Assert.Equal(naive.Count(), await CountedAsync(house));
    }, iter: 60, threads: 1);

    private static async Task ApplyAsync(Step step, House house, NaiveCount naive, Lanes lanes)
    {
        switch (step)
        {
            case Step.Write write:
                var appointment = Appointment(write);
                await house.PutAsync(appointment);
                naive.Put(appointment);
                break;
            case Step.Delete delete:
                await house.DeleteAsync("Appointment", $"a{delete.Id}");
                naive.Remove("Appointment", $"a{delete.Id}");
                break;
            case Step.Place place:
                var location = Location(place);
                await house.PutAsync(location);
                naive.Put(location);
                break;
            case Step.Role role:
                var json = $$$"""{"resourceType":"PractitionerRole","id":"role","practitioner":{"reference":"Practitioner/p{{{role.Practitioner}}}"}}""";
                await house.PutAsync(json);
                naive.Put(json);
                break;
            case Step.Take take:
                await lanes.TakeAsync(take.Lane, take.Events, take.IsKilled, take.Repeats);
                break;
            case Step.RecountSteps recount:
                for (var i = 0; i < recount.Count; i++)
                {
                    await house.Recount.StepAsync(default);
                }
                break;
        }
    }

    private static string Appointment(Step.Write write) => $$"""
        {"resourceType":"Appointment","id":"a{{write.Id}}","status":"{{Statuses[write.Status]}}","start":"{{Around.AddMinutes(write.Minutes):yyyy-MM-dd'T'HH:mm:ss'Z'}}",
         "end":"{{Around.AddMinutes(write.Minutes + 10):yyyy-MM-dd'T'HH:mm:ss'Z'}}","participant":[
         {"actor":{"reference":"Patient/x{{write.Patient}}"},"status":"accepted"},
         {"actor":{"reference":"{{(write.Practitioner == 3 ? "PractitionerRole/role" : $"Practitioner/p{write.Practitioner}")}}"},"status":"accepted"},
         {"actor":{"reference":"Location/r{{write.Room}}"},"status":"accepted"}]}
        """;

    /// <summary>Rooms may be part of one another in a circle.</summary>
    private static string Location(Step.Place place) => $$"""
        {"resourceType":"Location","id":"r{{place.Room}}"
        {{(place.Zone == 0 ? "" : $$""","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/timezone","valueCode":"{{Zones[place.Zone]}}"}]""")}}
        {{(place.PartOf == 4 ? "" : $$""","partOf":{"reference":"Location/r{{place.PartOf}}"}""")}}}
        """;

    private static async Task<SortedDictionary<string, int>> CountedAsync(House house)
    {
        var found = new SortedDictionary<string, int>(StringComparer.Ordinal);
        await foreach (var month in house.Load.Months.QueryAsync(FhirCore.Records.Predicate.Everything, default))
        {
            foreach (var ((day, hour, state), visits) in MonthCounts.Of(month.Value.Visits, month.Value.Leads).Visits)
            {
                var date = LoadRecords.FirstDayOf(month.Value.Month).AddDays(day - 1);
                found.Add(NaiveCount.Cell(month.Value.Practitioner, month.Value.Location, date, hour, state.ToString()), visits);
            }
        }
        return found;
    }

    /// <summary>The change log dealt out to two lanes by partition, as a broker would.</summary>
    private sealed class Lanes(House house)
    {
        private readonly ImmutableArray<ResourceEvent>[] _last = [[], []];

        /// <returns>Whether there was anything.</returns>
        public async Task<bool> TakeAsync(int lane, int events, bool isKilled, bool repeats)
        {
            var key = EventProgress.KeyOf(LoadFollower.Group.Name, $"{lane}");
            var progress = await EventProgress.ReadAsync(house.Records, key, default);
            var rows = (await house.Records.ReadJournalAsync(progress.Sequence, 10_000, default))
                .Where(row => (row.Change.Partition.Sum(c => c) & 1) == lane).Take(events).Select(row => new ResourceEvent(row.Change, row.Version)).ToImmutableArray();
            if (rows.IsEmpty)
            {
                return false;
            }
            var (write, _) = progress.To(rows[^1].Change.Sequence, 0, 0, house.Clock.GetUtcNow());
            var given = repeats ? [.. _last[lane], .. rows] : rows;
            var wanted = given.Where(change => LoadFollower.Group.Wants(change.Change.Key.Type)).ToImmutableArray();
            await house.Follower.HandleAsync(new($"{lane}", wanted, write), default);
            if (isKilled)
            {
                // The answer of the commit was lost with the process: the next one is given the same events with the same progress.
                await Assert.ThrowsAsync<LaneLostException>(() => house.Follower.HandleAsync(new($"{lane}", wanted, write), default));
            }
            _last[lane] = rows;
            return true;
        }
    }
}
