using System.Text;
using CsCheck;
using FhirStore.Indexing;
using FhirStore.Slots;

namespace FhirStore.Tests.Slots;

public sealed class FreeSlotsTests
{
    private const string Week = "schedule=Schedule/s1&status=free&start=ge2030-05-15T12:00:00Z&start=lt2030-05-22T00:00:00Z";

    private static readonly string[] Schedules = ["Schedule/s1", "Schedule/s2", "https://clinic.example/fhir/Schedule/s1"];

    // Days around today, the window's edges among them (7 days back, 3 weeks ahead), in half hours, some with a fraction or an offset.
    private static readonly Gen<string> Start = Gen.Select(Gen.Frequency((8, Gen.Int[-1, 5]), (1, Gen.Int[-9, 24])), Gen.Int[0, 5], Gen.Int[0, 5], (day, hour, form) =>
    {
        var at = SlotHouse.Now.Date.AddDays(day).AddHours(hour * 4).AddMinutes(30 * (form % 2));
        return at.ToString("yyyy-MM-ddTHH:mm:ss", System.Globalization.CultureInfo.InvariantCulture) + form switch { 4 => ".250Z", 5 => "+02:00", _ => "Z" };
    });

    private static readonly Gen<Step> Steps = Gen.Frequency(
        (6, Gen.Select(Gen.Int[0, 25], Gen.OneOf(Schedules), Gen.OneOf("free", "free", "free", "busy", "busy-tentative"), Start, (id, schedule, status, start) => (Step)new Step.Put($"x{id}", schedule, status, start))),
        (1, Gen.Int[0, 25].Select(id => (Step)new Step.Delete($"x{id}"))),
        (1, Gen.Int[0, 3].Select(what => (Step)new Step.Trouble(what))),
        (6, Gen.Select(Gen.OneOf("s1", "s2"), Start, Start, Gen.Int[1, 7], Gen.OneOf("", "&_total=accurate", "&_total=none", "&_sort=start", "&_sort=-start", "&_sort=start,_id", "&_id=x3"), Gen.OneOf("ge|lt", "ge|lt", "ge|", "gt|le", "|lt", "sa|eb"), Gen.Int[0, 1],
            (schedule, from, to, count, more, how, process) => (Step)new Step.Ask(Query(schedule, from, to, count, more, how), process))));

    /// <summary>The old way and the new give the same pages, totals and continuations, whatever was written, flushed or cut off between.</summary>
    [Fact]
    public async Task Search_WithAndWithoutWhatIsKept_GivesTheSamePages() => await Steps.Array[5, 60].SampleAsync(async steps =>
    {
        using var house = await SlotHouse.OpenAsync();
        var kept = new[] { house.SearchOf(house.Process(house.Shared)), house.SearchOf(house.Process(house.Shared)) };
        var written = new HashSet<string>();
        foreach (var step in steps)
        {
            switch (step)
            {
                case Step.Put put:
                    await house.PutSlotAsync(put.Id, put.Schedule, put.Status, put.Start);
                    written.Add(put.Id);
                    break;
                case Step.Delete delete when written.Remove(delete.Id):
                    await house.DeleteSlotAsync(delete.Id);
                    break;
                case Step.Trouble { What: 0 }:
                    house.Shared.Flush();
                    break;
                case Step.Trouble { What: 1 }:
                    house.Shared.IsAway = !house.Shared.IsAway;
                    break;
                case Step.Trouble { What: 2 }:
                    kept[0] = house.SearchOf(house.Process(house.Shared)); // a process starts anew
                    break;
                case Step.Ask ask:
                    await SamePagesAsync(house, kept[ask.Process], ask.Query);
                    break;
            }
        }
    }, iter: 150, threads: 1);

    [Fact]
    public async Task List_IsWhatTheStoreGives_AndNullOutsideTheWindow()
    {
        using var house = await SlotHouse.OpenAsync();
        var slots = house.Process();
        var token = house.Fields.ReferenceToken("Schedule/s1");
        for (var i = 0; i < 30; i++)
        {
            await house.PutSlotAsync($"x{i:00}", "Schedule/s1", i % 4 == 0 ? "busy" : "free", Text(SlotHouse.Now.AddHours(7 * (i / 2))));
        }
        var list = await slots.ListAsync(token, SlotHouse.Now, SlotHouse.Now.AddDays(3), 1000, default);
        Assert.Equal(
            (await SlotHouse.PageAsync(house.Plain, $"schedule=Schedule/s1&status=free&start=ge{Text(SlotHouse.Now)}&start=lt{Text(SlotHouse.Now.AddDays(3))}&_count=1000")).Matches.Select(m => m.Key),
            list!.Select(m => m.Key));
        Assert.Equal(list!.Take(4).Select(m => m.Key), (await slots.ListAsync(token, SlotHouse.Now, SlotHouse.Now.AddDays(3), 4, default))!.Select(m => m.Key));
        Assert.Null(await slots.ListAsync(token, SlotHouse.Now, SlotHouse.Now.AddDays(40), 1000, default));
        Assert.Null(await slots.ListAsync(token, SlotHouse.Now.AddDays(-20), SlotHouse.Now, 1000, default));
        Assert.Null(await house.Process(options: new() { Weeks = 0 }).ListAsync(token, SlotHouse.Now, SlotHouse.Now.AddDays(1), 1000, default));
    }

    [Fact]
    public async Task AnOpenEnd_IsAnsweredBeyondTheWeeksThatAreKept()
    {
        using var house = await SlotHouse.OpenAsync();
        var search = house.SearchOf(house.Process());
        for (var i = 0; i < 9; i++)
        {
            await house.PutSlotAsync($"x{i}", "Schedule/s1", "free", Text(SlotHouse.Now.AddDays(1 + (i / 2 * 10)))); // two each on days 1, 11, 21, 31; one on 41; 21 days are kept
        }
        foreach (var count in new[] { 1, 3, 4, 5, 8, 9, 20 })
        {
            await SamePagesAsync(house, search, $"schedule=Schedule/s1&status=free&start=ge{Text(SlotHouse.Now)}&_count={count}");
        }
        Assert.Equal(9, (await SlotHouse.PageAsync(search, $"schedule=Schedule/s1&status=free&start=ge{Text(SlotHouse.Now)}")).Total);
    }

    [Fact]
    public async Task WhatIsAtHand_AsksTheStoreNoMore_UntilTheScheduleChanges()
    {
        using var house = await FilledAsync();
        var search = house.SearchOf(house.Process());
        var first = await SlotHouse.PageAsync(search, Week);
        var asked = house.Store.Queries;
        var again = await SlotHouse.PageAsync(search, Week);
        await SlotHouse.PageAsync(search, Week + "&_count=3");
        Assert.Equal(asked, house.Store.Queries);
        Assert.Equal(first.Matches.Select(m => m.Key), again.Matches.Select(m => m.Key));

        await house.PutSlotAsync("other", "Schedule/s2", "busy", "2030-05-16T10:00:00Z"); // another schedule's change changes nothing here
        await SlotHouse.PageAsync(search, Week);
        Assert.Equal(asked, house.Store.Queries);

        await house.PutSlotAsync("x5", "Schedule/s1", "busy", "2030-05-16T10:00:00Z");
        var after = await SlotHouse.PageAsync(search, Week);
        Assert.True(house.Store.Queries > asked);
        Assert.DoesNotContain(after.Matches, m => m.Key.Id == "x5");
        Assert.Equal(first.Matches.Length - 1, after.Matches.Length);
    }

    [Fact]
    public async Task ASecondProcess_FindsWhatTheFirstRead_AndWhatLiesThereIsSealed()
    {
        using var house = await FilledAsync();
        var first = await SlotHouse.PageAsync(house.SearchOf(house.Process(house.Shared)), Week);
        var asked = house.Store.Queries;
        var second = await SlotHouse.PageAsync(house.SearchOf(house.Process(house.Shared)), Week);
        Assert.Equal(asked, house.Store.Queries);
        Assert.Equal(first.Matches.Select(SlotText), second.Matches.Select(SlotText));
        Assert.NotEmpty(house.Shared.Written);
        Assert.All(house.Shared.Written, value =>
        {
            var text = Encoding.Latin1.GetString(value);
            foreach (var planted in new[] { "Planted", "Schedule", "2030-05", "status" })
            {
                Assert.DoesNotContain(planted, text, StringComparison.Ordinal);
            }
        });
    }

    [Fact]
    public async Task AValueMovedToAnotherDayOrAltered_IsNotTaken()
    {
        using var house = await FilledAsync();
        await SlotHouse.PageAsync(house.SearchOf(house.Process(house.Shared)), Week);
        var token = house.Fields.ReferenceToken("Schedule/s1");
        var day = DateInterval.DayOf(SlotHouse.Now.UtcTicks / 10);
        var one = await house.Shared.GetAsync(SlotDayKey.Of(token, day + 1).CacheKey, default);
        Assert.NotNull(one);
        await house.Shared.SetAsync(SlotDayKey.Of(token, day + 2).CacheKey, one, TimeSpan.FromHours(1), default);
        one[^1] ^= 1;
        await house.Shared.SetAsync(SlotDayKey.Of(token, day + 1).CacheKey, one, TimeSpan.FromHours(1), default);
        await SamePagesAsync(house, house.SearchOf(house.Process(house.Shared)), Week);
    }

    [Fact]
    public async Task ABookingWhileDaysAreRead_IsNotShownInPart()
    {
        using var house = await FilledAsync();
        var search = house.SearchOf(house.Process());
        await SlotHouse.PageAsync(search, "schedule=Schedule/s1&status=free&start=ge2030-05-16T00:00:00Z&start=lt2030-05-17T00:00:00Z");
        // The 16th is at hand. While the days after it are read, a visit moves from the 18th to the 16th.
        house.Store.BeforeQuery = async () =>
        {
            await house.PutSlotAsync("x5", "Schedule/s1", "busy", "2030-05-16T10:00:00Z");
            await house.PutSlotAsync("moved", "Schedule/s1", "free", "2030-05-18T10:30:00Z");
        };
        var ids = (await SlotHouse.PageAsync(search, "schedule=Schedule/s1&status=free&start=ge2030-05-16T00:00:00Z&start=lt2030-05-22T00:00:00Z")).Matches.Select(m => m.Key.Id).ToArray();
        Assert.Equal(ids.Contains("moved"), !ids.Contains("x5"));
    }

    [Fact]
    public async Task Readers_NeverSeeASlotAsFree_AfterItsBookingWasAcknowledged()
    {
        using var house = await FilledAsync();
        var searches = new[] { house.SearchOf(house.Process(house.Shared)), house.SearchOf(house.Process(house.Shared)) };
        var taken = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var allTaken = false;
        var readers = Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            for (var askedSince = 0; askedSince < 3; askedSince += Volatile.Read(ref allTaken) ? 1 : 0)
            {
                var gone = taken.ToHashSet();
                var page = await SlotHouse.PageAsync(searches[i % 2], Week + "&_count=200");
                Assert.DoesNotContain(page.Matches, match => gone.Contains(match.Key.Id));
            }
        })).ToArray();
        for (var i = 0; i < 40; i++)
        {
            await house.PutSlotAsync($"x{i}", "Schedule/s1", "busy", "2030-05-17T10:00:00Z");
            taken.Enqueue($"x{i}");
            if (i % 7 == 0)
            {
                house.Shared.Flush();
            }
            await Task.Yield();
        }
        Volatile.Write(ref allTaken, true);
        await Task.WhenAll(readers);
    }

    [Fact]
    public async Task Warmer_ReadsWhatChanged_BeforeTheNextAsks()
    {
        using var house = await FilledAsync();
        var slots = house.Process(house.Shared);
        var search = house.SearchOf(slots);
        var warmer = new SlotWarmer(house.Store, slots, house.Fields);
        Assert.Equal(0, await warmer.RunAsync(default)); // nobody has asked: nothing to follow
        await SlotHouse.PageAsync(search, Week);
        Assert.Equal(0, await warmer.RunAsync(default)); // begins where the log ends

        await house.PutSlotAsync("x5", "Schedule/s1", "busy", "2030-05-16T10:00:00Z");
        await house.PutSlotAsync("y1", "Schedule/s2", "free", "2030-05-16T10:00:00Z"); // not in use
        Assert.Equal(1, await warmer.RunAsync(default));
        var asked = house.Store.Queries;
        var page = await SlotHouse.PageAsync(search, Week);
        var elsewhere = await SlotHouse.PageAsync(house.SearchOf(house.Process(house.Shared)), Week);
        Assert.Equal(asked, house.Store.Queries);
        Assert.DoesNotContain(page.Matches, m => m.Key.Id == "x5");
        Assert.Equal(page.Matches.Select(SlotText), elsewhere.Matches.Select(SlotText));

        house.Clock.Advance(TimeSpan.FromMinutes(3)); // nobody has asked for long
        await house.PutSlotAsync("x6", "Schedule/s1", "busy", "2030-05-16T10:00:00Z");
        Assert.Equal(0, await warmer.RunAsync(default));
    }

    /// <summary>Forty free slots of one schedule, six a day from tomorrow on.</summary>
    private static async Task<SlotHouse> FilledAsync()
    {
        var house = await SlotHouse.OpenAsync();
        for (var i = 0; i < 40; i++)
        {
            await house.PutSlotAsync($"x{i}", "Schedule/s1", "free", Text(SlotHouse.Now.Date.AddDays(1 + (i / 6)).AddHours(9).AddMinutes(30 * (i % 6))));
        }
        return house;
    }

    /// <summary>Walks both ways through all pages; each way also goes on where the other ended.</summary>
    private static async Task SamePagesAsync(SlotHouse house, FhirStore.Search.SearchService kept, string query)
    {
        string? page = null;
        for (var i = 0; ; i++)
        {
            var expected = await SlotHouse.PageAsync(house.Plain, query, page);
            var actual = await SlotHouse.PageAsync(kept, query, page);
            Assert.Equal(expected.Matches.Select(SlotText), actual.Matches.Select(SlotText));
            Assert.Equal(expected.Matches.Select(m => (m.Key, m.Version, m.LastUpdated)), actual.Matches.Select(m => (m.Key, m.Version, m.LastUpdated)));
            Assert.Equal(expected.Total, actual.Total);
            Assert.Equal(expected.Next is null, actual.Next is null);
            if (expected.Next is null)
            {
                return;
            }
            Assert.Equal(house.Opened(expected.Next), house.Opened(actual.Next!));
            page = i % 2 == 0 ? actual.Next : expected.Next;
        }
    }

    private static string Query(string schedule, string from, string to, int count, string more, string how)
    {
        var (low, high) = (how.Split('|')[0], how.Split('|')[1]);
        return $"schedule=Schedule/{schedule}&status=free"
            + (low.Length > 0 ? $"&start={low}{from[..19]}Z" : "") + (high.Length > 0 ? $"&start={high}{to[..19]}Z" : "") + $"&_count={count}{more}";
    }

    private static string SlotText(StoredResource resource) => Encoding.UTF8.GetString(resource.Json.Span);

    private static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);

    private abstract record Step
    {
        public sealed record Put(string Id, string Schedule, string Status, string Start) : Step;

        public sealed record Delete(string Id) : Step;

        public sealed record Trouble(int What) : Step;

        public sealed record Ask(string Query, int Process) : Step;
    }
}
