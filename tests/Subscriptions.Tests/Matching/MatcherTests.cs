using CsCheck;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore.Access;
using Subscriptions.Feeds;
using Subscriptions.Tests.Support;

namespace Subscriptions.Tests.Matching;

public sealed class MatcherTests
{
    private const string Record = "urn:fhir-server:topic:patient-record";

    /// <summary>
    /// Any changes, followed in batches of any size by processes that die at any commit, or whose commit's answer is lost: each subscription's
    /// numbers are 1, 2, 3… and its events exactly those that match, in the order of the log. The oracle looks at the log itself.
    /// </summary>
    [Fact]
    public async Task Numbers_HaveNeitherGapsNorDoubles_WhateverDiesWhen() =>
        await Gen.Select(Gen.Int[0, 2].Array[5, 40], Gen.Int[1, 7], Gen.Int[0, 3].Array[0, 12]).SampleAsync(async (changes, most, deaths) =>
        {
            var faults = new FaultyStore();
            using var house = await House.OpenAsync(wrap: inner => faults.Over(inner));
            for (var i = 0; i < 3; i++)
            {
                await house.PutAsync(House.Subscription($"s{i}", Record, filter: $"patient=Patient/p{i}"), House.Grant());
            }
            await house.PutAsync(House.Subscription("all", Record), House.Grant());
            for (var i = 0; i < changes.Length; i++)
            {
                await house.PutAsync($$"""{"resourceType":"Observation","id":"o{{i % 5}}","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/p{{changes[i]}}" } }""");
            }
            var expected = (await house.Records.ReadChangesAsync(0, 10_000, default)).Where(row => row.Key.Type == "Observation").ToArray();

            faults.Plan(deaths);
            for (var process = house.NewMatcher(); ; process = house.NewMatcher())
            {
                try
                {
                    await house.FollowAsync(process, most: most);
                    break;
                }
                catch (Exception error) when (error is StoreUnavailableException or LaneLostException)
                {
                    // It died; another one takes over.
                }
            }
            foreach (var (subscription, patient) in (ReadOnlySpan<(string, int?)>)[("s0", 0), ("s1", 1), ("s2", 2), ("all", null)])
            {
                var events = house.EventsAsync(subscription).GetAwaiter().GetResult();
                var wanted = expected.Where((_, i) => patient is null || changes[i] == patient).Select(row => (row.Key.ToString(), row.Version));
                if (!events.Select(one => one.Number).SequenceEqual(Enumerable.Range(1, events.Count).Select(number => (long)number))
                    || !events.Select(one => (one.Event.Key.ToString(), one.Event.Version)).SequenceEqual(wanted))
                {
                    return false;
                }
            }
            return true;
        }, iter: 60);

    /// <summary>Lanes of several processes count for the same subscription: between them no number is lost or given twice.</summary>
    [Fact]
    public async Task Lanes_SideBySide_ShareTheNumbers()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        await house.FollowAsync(house.NewMatcher(), "a", wanted: happened => happened.Change.Key.Type == "Subscription");
        for (var i = 0; i < 200; i++)
        {
            await house.PutAsync($$"""{"resourceType":"Observation","id":"o{{i}}","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/p{{i % 4}}" } }""");
        }
        await Task.WhenAll(((string[])["a", "b", "c", "d"]).Select((lane, number) => Task.Run(() =>
            house.FollowAsync(house.NewMatcher(), lane, most: 3, wanted: happened => happened.Change.Key.Type == "Observation" && happened.Change.Partition == $"p{number}"))));

        var events = await house.EventsAsync("s");
        Assert.Equal(Enumerable.Range(1, 200).Select(number => (long)number), events.Select(one => one.Number));
        Assert.Equal(200, events.Select(one => one.Event.Key).Distinct().Count());
    }

    /// <summary>A lane that is late brings what happened before the subscription was made, or while it was off: none of it counts.</summary>
    [Fact]
    public async Task Subscription_CountsFromItsPlaceInTheLogOn_HoweverLateALaneIs()
    {
        using var house = await House.OpenAsync();
        await ObserveAsync("before");
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        await house.PutAsync(House.Subscription("s", Record).Replace("requested", "off", StringComparison.Ordinal), House.Grant());
        await ObserveAsync("while-off");
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        await ObserveAsync("after");
        await house.FollowAsync(house.NewMatcher(), "a", wanted: happened => happened.Change.Key.Type == "Subscription");
        await house.FollowAsync(house.NewMatcher(), "b", wanted: happened => happened.Change.Key.Type == "Observation");

        Assert.Equal(["after"], (await house.EventsAsync("s")).Select(one => one.Event.Id));

        Task ObserveAsync(string id) => house.PutAsync($$"""{"resourceType":"Observation","id":"{{id}}","status":"final","code":{"text":"c"} }""");
    }

    /// <summary>Lanes by type go at their own pace: whatever a subscription was when something happened is what counts, also where its lane is the slower one.</summary>
    [Fact]
    public async Task Subscription_WhoseLaneIsLate_IsWaitedFor()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(House.Subscription("kept", Record), House.Grant());
        await house.PutAsync(House.Subscription("dropped", Record), House.Grant());
        await house.FollowAsync(house.NewMatcher(), "subscription-0of1", wanted: happened => happened.Change.Key.Type == "Subscription");
        await house.DeleteAsync("Subscription", "dropped");
        await house.PutAsync(House.Subscription("late", Record), House.Grant());
        await house.PutAsync("""{"resourceType":"Observation","id":"o","status":"final","code":{"text":"c"} }""");
        using var matcher = house.NewMatcher();
        var observations = house.FollowAsync(matcher, "observation-0of1", wanted: happened => happened.Change.Key.Type == "Observation");
        Assert.False(observations.IsCompleted);
        await house.FollowAsync(matcher, "subscription-0of1", wanted: happened => happened.Change.Key.Type == "Subscription");
        while (!observations.IsCompleted)
        {
            house.Clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }
        await observations;

        Assert.Equal(["o"], (await house.EventsAsync("late")).Select(one => one.Event.Id));
        Assert.Equal(["o"], (await house.EventsAsync("kept")).Select(one => one.Event.Id));
        Assert.Null(await house.Own.Feeds.FindAsync("dropped", default));
    }

    /// <summary>A subscription is told of what comes behind it in the log, of nothing before it, and of nothing once it is off or gone.</summary>
    [Fact]
    public async Task Subscription_CountsFromItsPlaceInTheLogOn()
    {
        using var house = await House.OpenAsync();
        await ObserveAsync("before");
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        await ObserveAsync("first");
        await house.PutAsync(House.Subscription("s", Record).Replace("requested", "off", StringComparison.Ordinal), House.Grant());
        await ObserveAsync("while-off");
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        await ObserveAsync("second");
        await house.FollowAsync(house.NewMatcher()); // all of it in one batch

        Assert.Equal(["first", "second"], (await house.EventsAsync("s")).Select(one => one.Event.Id));
        var feed = (await house.Own.Feeds.FindAsync("s", default))!.Value.Id;
        await house.DeleteAsync("Subscription", "s");
        await ObserveAsync("while-gone");
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        await ObserveAsync("anew");
        await house.FollowAsync(house.NewMatcher());
        Assert.Equal(["anew"], (await house.EventsAsync("s")).Select(one => one.Event.Id));
        Assert.NotEqual(feed, (await house.Own.Feeds.FindAsync("s", default))!.Value.Id);

        Task ObserveAsync(string id) => house.PutAsync($$"""{"resourceType":"Observation","id":"{{id}}","status":"final","code":{"text":"c"} }""");
    }

    /// <summary>Filters that follow certain resources are looked up by what a resource names; that changes nothing of what matches. The oracle asks every filter.</summary>
    [Fact]
    public async Task Candidates_AreAllWhoseFilterMatches_EachOnce()
    {
        using var house = await House.OpenAsync();
        string[] conditions =
        [
            "subject=Patient/1", "subject=Patient/2", "patient=1", "subject=Patient/1,Patient/2,Patient/1", "performer=Practitioner/1", "performer=Practitioner/1,Patient/2",
            "status=final", "encounter=Encounter/1", "encounter=2", "subject=http://elsewhere.example/fhir/Patient/1", "subject:missing=false", "_id=1,2",
        ];
        string[] bases = ["", "http://test/fhir/", "http://elsewhere.example/fhir/"];
        var wanted = Gen.Int[0, conditions.Length - 1].Array[1, 3].Array[1, 12];
        var references = Gen.Select(Gen.Int[0, 2], Gen.Int[1, 3], Gen.Bool, (at, id, versioned) => $"{bases[at]}Patient/{id}{(versioned ? "/_history/1" : "")}");
        Gen.Select(wanted, references, Gen.Bool, Gen.Int[1, 3], Gen.Int[1, 3], Gen.String).Sample((filters, subject, isDoctor, performer, id, noise) =>
        {
            var index = new Subscriptions.Matching.CandidateIndex();
            var all = filters.Select((some, i) => new Subscriptions.Matching.Candidate($"{i}", house.Filters.ReadCriteria("Observation?" + string.Join('&', some.Select(one => conditions[one]))).Value.Filter)).ToList();
            all.ForEach(index.Add);
            var key = new ResourceKey("Observation", $"{id}");
            var json = System.Text.Encoding.UTF8.GetBytes(System.Text.Json.JsonSerializer.Serialize(new
            {
                note = noise, status = id == 1 ? "final" : "preliminary", subject = new { reference = subject }, performer = new[] { new { reference = $"{(isDoctor ? "Practitioner" : "Patient")}/{performer}" } }, encounter = new { reference = $"Encounter/{id}" },
            }));
            using var document = System.Text.Json.JsonDocument.Parse(json);
            var found = index.For(Subscriptions.Matching.NamedResources.In(key, json)).Where(candidate => candidate.Filter.Matches(key, document.RootElement)).Select(candidate => candidate.Subscription);
            return all.Where(candidate => candidate.Filter.Matches(key, document.RootElement)).Select(candidate => candidate.Subscription).Order(StringComparer.Ordinal)
                .SequenceEqual(found.Order(StringComparer.Ordinal));
        });
    }

    [Theory]
    [InlineData("Patient/p.1-x", "Patient/p.1-x")]
    [InlineData("http://test/fhir/Patient/1/_history/2", "Patient/1")]
    [InlineData("Patient/1#part", "Patient/1")]
    [InlineData("/Patient/1/", "Patient/1")]
    [InlineData("urn:a/b patient/1 Patient/ /1 Patient/_", "")]
    public void NamedResources_AreWhatLooksLikeAReference(string text, string named)
    {
        var found = Subscriptions.Matching.NamedResources.In(new("Observation", "o"), System.Text.Encoding.UTF8.GetBytes(text));
        Assert.Equal(["Observation/o", .. named.Split(' ', StringSplitOptions.RemoveEmptyEntries)], found.Select(key => key.ToString()).Order(StringComparer.Ordinal));
    }

    /// <summary>What the subscriber may not see when it happens gets no number; whose access has ended is counted no more, and it is said.</summary>
    [Fact]
    public async Task Access_IsAskedBeforeAnEventGetsItsNumber()
    {
        using var house = await House.OpenAsync();
        house.Access.Standings["app"] = new SubscriberStanding(new Limited(house.Compiler.Compile("Observation", new ResourceCondition.InCompartment("p1"))));
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        for (var i = 0; i < 6; i++)
        {
            await house.PutAsync($$"""{"resourceType":"Observation","id":"o{{i}}","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/p{{i % 2}}" } }""");
        }
        await house.FollowAsync(house.NewMatcher());
        Assert.Equal(["o1", "o3", "o5"], (await house.EventsAsync("s")).Select(one => one.Event.Id));

        house.Access.Standings["app"] = FhirFailure.Of(FailureKind.Forbidden, "Ended.");
        house.Clock.Advance(SubscriberStandings.Lifetime);
        await house.PutAsync("""{"resourceType":"Observation","id":"o7","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/p1" } }""");
        await house.FollowAsync(house.NewMatcher());
        var feed = (await house.Own.Feeds.FindAsync("s", default))!.Value;
        Assert.Equal((3, FeedFaults.Access), (feed.Last, feed.Fault));
    }

    /// <summary>Nobody is written for whom nothing has happened.</summary>
    [Fact]
    public async Task Batch_ThatConcernsNobody_IsIdle()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync("""{"resourceType":"Patient","id":"p"}""");
        var rows = await house.Records.ReadJournalAsync(0, 10, default);
        var (write, _) = (await EventProgress.ReadAsync(house.Records, EventProgress.KeyOf("subscriptions", "all"), default)).To(1, 0, 0, house.Clock.GetUtcNow());
        var batch = new EventBatch("all", [.. rows.Select(row => new ResourceEvent(row.Change, row.Version))], write);
        using var matcher = house.NewMatcher();
        await matcher.HandleAsync(batch, default);

        Assert.True(batch.IsIdle);
        Assert.False(batch.IsCommitted);
    }

    /// <summary>Blocks hold which versions of which resources, and nothing that is in them.</summary>
    [Fact]
    public async Task StoredEvents_AreSealed()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        await house.PutAsync("""{"resourceType":"Observation","id":"planted-id","status":"final","code":{"text":"planted-text"} }""");
        await house.FollowAsync(house.NewMatcher());
        var page = await house.Records.QueryAsync(new(SubscriptionRecords.BlockType, Predicate.Everything, RecordOrder.ById, null, 10), default);

        var body = Assert.Single(page.Records).Body;
        Assert.True(body.Span.IndexOf("planted-id"u8) < 0);
    }

    internal sealed class Limited(Restriction observations) : ICaller
    {
        public string Name => "limited";

        public Restriction Reach(Use use, string type) => type == "Observation" ? observations : Restriction.Nothing;

        public FhirFailure? Object(ResourceKey key, System.Text.Json.JsonElement? before, System.Text.Json.JsonElement? after) => null;
    }
}
