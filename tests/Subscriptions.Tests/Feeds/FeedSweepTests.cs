using FhirCore.Records;
using Subscriptions.Feeds;
using Subscriptions.Tests.Support;

namespace Subscriptions.Tests.Feeds;

public sealed class FeedSweepTests
{
    private const string Record = "urn:fhir-server:topic:patient-record";

    [Fact]
    public async Task Events_AreKeptForTheirTime_NewestLongest()
    {
        using var house = await House.OpenAsync();
        var sweep = new FeedSweep(house.Own, house.Store, house.Options, house.Clock);
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        for (var i = 0; i < 4; i++)
        {
            await house.PutAsync($$"""{"resourceType":"Observation","id":"o{{i}}","status":"final","code":{"text":"c"} }""");
            await house.FollowAsync(house.NewMatcher());
            house.Clock.Advance(house.Options.KeepEvents / 4);
        }
        await sweep.RunAsync(default);
        Assert.Equal([1, 2, 3, 4], (await house.EventsAsync("s")).Select(one => one.Number)); // the first is just as old as that
        house.Clock.Advance(house.Options.KeepEvents / 4);
        await sweep.RunAsync(default);
        Assert.Equal([2, 3, 4], (await house.EventsAsync("s")).Select(one => one.Number));
    }

    /// <summary>Of a subscription that is deleted nothing stays: no events, no position, no secrets.</summary>
    [Fact]
    public async Task Subscription_Deleted_LeavesNoRecords()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(House.Subscription("s", Record, channel: ",\"header\":[\"X-Key: secret\"]"), House.Grant());
        await house.PutAsync("""{"resourceType":"Observation","id":"o","status":"final","code":{"text":"c"} }""");
        await house.FollowAsync(house.NewMatcher());
        await using (await Delivering.StartAsync(house, "s"))
        {
            await house.UntilAsync(async () => (await house.StateAsync("s")).Delivered == 1);
        }
        await house.Own.Bindings.TryWriteAsync("b", new(["s"], House.Grant(), house.Clock.GetUtcNow().AddMinutes(1)), 0, null, default);
        await house.DeleteAsync("Subscription", "s");
        await house.FollowAsync(house.NewMatcher());
        var sweep = new FeedSweep(house.Own, house.Store, house.Options, house.Clock);
        await sweep.RunAsync(default);
        house.Clock.Advance(FeedSweep.Interval * 2);
        await sweep.RunAsync(default);

        foreach (var type in (string[])
            [SubscriptionRecords.FeedType, SubscriptionRecords.BlockType, SubscriptionRecords.DeliveryType, SubscriptionRecords.SubscriberType, SubscriptionRecords.BindingType, SubscriptionRecords.GoneType])
        {
            Assert.Equal((type, 0), (type, await house.Records.CountAsync(type, Predicate.Everything, 10, default)));
        }
    }
}
