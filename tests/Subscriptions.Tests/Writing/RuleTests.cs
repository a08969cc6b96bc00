using System.Text;
using System.Text.Json;
using Subscriptions.Tests.Support;

namespace Subscriptions.Tests.Writing;

public sealed class RuleTests
{
    private const string Record = "urn:fhir-server:topic:patient-record";
    private const string Header = ",\"header\":[\"Authorization: Bearer planted-secret\"]";

    /// <summary>An import names nobody: nobody is told anything until somebody stands for it.</summary>
    [Fact]
    public async Task Subscription_InNobodysName_IsOff()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(House.Subscription("s", Record));
        Assert.Equal("off", await house.StatusAsync("s"));
        await house.PutAsync("""{"resourceType":"Observation","id":"o","status":"final","code":{"text":"c"} }""");
        await house.FollowAsync(house.NewMatcher());
        Assert.Empty(await house.EventsAsync("s"));

        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        Assert.Equal("requested", await house.StatusAsync("s"));
    }

    [Fact]
    public async Task PerSubscriber_IsALimit_ForWhatIsNotOff()
    {
        using var house = await House.OpenAsync(options => options.PerSubscriber = 2);
        string Mine(string id) => House.Subscription(id, Record, extra: $",\"meta\":{{\"tag\":[{{\"system\":\"{Backport.OwnerTag}\",\"code\":\"app\"}}]}}");
        await house.PutAsync(Mine("a"), House.Grant());
        await house.PutAsync(Mine("b"), House.Grant());
        Assert.Equal("too-costly", (await house.TryPutAsync(Mine("c"), House.Grant()))!.Issues[0].Code);
        Assert.Null(await house.TryPutAsync(Mine("b"), House.Grant())); // not one more
        await house.PutAsync(Mine("a").Replace("requested", "off", StringComparison.Ordinal), House.Grant());
        Assert.Null(await house.TryPutAsync(Mine("c"), House.Grant()));
    }

    [Fact]
    public async Task Secrets_AreKeptBesideTheSubscription_SealedAndForItsOwnerAlone()
    {
        using var house = await House.OpenAsync();
        await house.PutAsync(House.Subscription("s", Record, channel: Header), House.Grant());
        Assert.DoesNotContain("planted-secret", await TextAsync(house), StringComparison.Ordinal);
        Assert.Equal(["Authorization: Bearer planted-secret"], (await house.Own.Subscribers.FindAsync("s", default))!.Value.Headers);

        var masked = await TextAsync(house);
        Assert.Null(await house.TryPutAsync(masked, House.Grant())); // read, and written back
        Assert.Equal(["Authorization: Bearer planted-secret"], (await house.Own.Subscribers.FindAsync("s", default))!.Value.Headers);

        Assert.NotNull(await house.TryPutAsync(masked.Replace("subscriber.example.org", "else.example.org", StringComparison.Ordinal), House.Grant()));
        Assert.NotNull(await house.TryPutAsync(masked, House.Grant("another")));
        Assert.Equal("app", (await house.Own.Subscribers.FindAsync("s", default))!.Value.Grant!.Owner); // nothing half written

        await house.DeleteAsync("Subscription", "s");
        var left = (await house.Own.Subscribers.FindAsync("s", default))!.Value;
        Assert.Equal((null, 0), (left.Grant, left.Headers.Count));
    }

    /// <summary>What can be read between two commits is the Subscription with its secrets kept, or neither.</summary>
    [Fact]
    public async Task Subscriber_IsWrittenInTheCommitOfTheSubscription()
    {
        var store = new FaultyStore();
        using var house = await House.OpenAsync(wrap: inner => store.Over(inner));
        await house.Topics.ReadAsync(default);
        store.Plan([1]);
        await Assert.ThrowsAsync<FhirCore.Records.StoreUnavailableException>(() => house.PutAsync(House.Subscription("s", Record, channel: Header), House.Grant()));
        Assert.Null(await house.Own.Subscribers.FindAsync("s", default));
        Assert.Null(await house.Store.ReadAsync(new("Subscription", "s"), default));
    }

    [Theory]
    [InlineData("2030-01-07T07:59:00Z", "Subscription.end")]
    [InlineData("2030-01-07T08:01:00Z", null)]
    public async Task End_IsInTheFuture(string end, string? refusedAt)
    {
        using var house = await House.OpenAsync();
        Assert.Equal(refusedAt, (await house.TryPutAsync(House.Subscription("s", Record, extra: $",\"end\":\"{end}\""), House.Grant()))?.Issues[0].Expression);
    }

    private static async Task<string> TextAsync(House house) => Encoding.UTF8.GetString((await house.Store.ReadAsync(new("Subscription", "s"), default))!.Json.Span);
}
