using Subscriptions.Channels;
using Subscriptions.Delivery;
using Subscriptions.Feeds;
using Subscriptions.Tests.Support;

namespace Subscriptions.Tests.Delivery;

public sealed class ShardRunnerTests
{
    private const string Record = "urn:fhir-server:topic:patient-record";

    /// <summary>What another process matches is found by looking, a request to send again too; what is deleted is delivered no more.</summary>
    [Fact]
    public async Task Shard_FollowsWhatOtherProcessesDo()
    {
        using var house = await House.OpenAsync();
        using var end = new CancellationTokenSource();
        var poll = TimeSpan.FromMilliseconds(500);
        var runner = new ShardRunner(house.Records, house.Own, new(), house.Tools, poll); // its signals are not those of the matcher
        var running = Task.WhenAll(Enumerable.Range(0, Shards.Count).Select(shard => Task.Run(() => runner.RunAsync(shard, end.Token))));
        await house.PutAsync(House.Subscription("s", Record), House.Grant());
        await ObserveAsync("a");
        await house.UntilAsync(async () => (await house.StateAsync("s")).Delivered == 1, poll);
        await ObserveAsync("b");
        await house.UntilAsync(async () => (await house.StateAsync("s")).Delivered == 2, poll);
        Assert.Equal(1, runner.Subscriptions);

        var feed = (await house.Own.Feeds.FindAsync("s", default))!.Value.Id;
        await house.Own.Resends.TryWriteAsync("r", new("s", feed, 1, 1, house.Clock.GetUtcNow()), 0, null, default);
        await ObserveAsync("c"); // moves the stamp, as the operation does
        await house.UntilAsync(async () => await house.Own.Resends.FindAsync("r", default) is null && (await house.StateAsync("s")).Delivered == 3, poll);
        Assert.Equal([1, 1, 2, 3], house.Hook.Sent.SelectMany(sent => sent.Numbers()).Order());

        await house.DeleteAsync("Subscription", "s");
        await house.FollowAsync(house.NewMatcher());
        await house.UntilAsync(() => runner.Subscriptions == 0, poll);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Empty(house.Observer.Faults);

        async Task ObserveAsync(string id)
        {
            await house.PutAsync($$"""{"resourceType":"Observation","id":"{{id}}","status":"final","code":{"text":"c"} }""");
            await house.FollowAsync(house.NewMatcher());
        }
    }

    /// <summary>Hundreds of receivers that hang do not hold up the one that answers.</summary>
    [Fact]
    public async Task Receivers_ThatHang_HoldUpNobodyElse()
    {
        using var house = await House.OpenAsync(options => options.PerSubscriber = 0);
        using var end = new CancellationTokenSource();
        var hang = new TaskCompletionSource<SendOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        house.Hook.Answer = sent => sent.Definition.Key.Id.StartsWith("hangs", StringComparison.Ordinal) && sent.Type == NotificationType.EventNotification
            ? hang.Task
            : Task.FromResult(SendOutcome.Done);
        for (var i = 0; i < 200; i++)
        {
            await house.PutAsync(House.Subscription($"hangs{i}", Record), House.Grant());
        }
        await house.PutAsync(House.Subscription("well", Record), House.Grant());
        await house.FollowAsync(house.NewMatcher());
        var runner = new ShardRunner(house.Records, house.Own, house.Signals, house.Tools, TimeSpan.FromSeconds(1));
        var running = Task.WhenAll(Enumerable.Range(0, Shards.Count).Select(shard => Task.Run(() => runner.RunAsync(shard, end.Token))));
        await house.UntilAsync(() => runner.Subscriptions == 201);
        for (var i = 1; i <= 5; i++)
        {
            await house.PutAsync($$"""{"resourceType":"Observation","id":"o{{i}}","status":"final","code":{"text":"c"} }""");
            await house.FollowAsync(house.NewMatcher());
            await house.UntilAsync(async () => (await house.StateAsync("well")).Delivered == i);
        }
        Assert.Equal(0, (await house.StateAsync("hangs7")).Delivered);
        hang.SetResult(SendOutcome.Done);
        await house.UntilAsync(async () => (await house.StateAsync("hangs7")).Delivered == 5);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
