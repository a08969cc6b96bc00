using System.Text.Json;
using Subscriptions.Delivery;
using Subscriptions.Feeds;

namespace Subscriptions.Tests.Support;

/// <summary>One subscription being delivered, as a process does it: it hears what is matched, and is ended at any moment.</summary>
internal sealed class Delivering : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly IDisposable _listening;
    private readonly Task _loop;

    private Delivering(House house, Outlet outlet, string subscription)
    {
        Outlet = outlet;
        _listening = house.Signals.Listen(news =>
        {
            if (news.Subscription == subscription && news.Feed is { } feed)
            {
                outlet.Inbox.Hear(feed, news.Added);
            }
        });
        _loop = Task.Run(() => outlet.RunAsync(_end.Token));
    }

    public Outlet Outlet { get; }

    public static async Task<Delivering> StartAsync(House house, string subscription) =>
        new(house, new(house.Tools, (await house.Own.Feeds.FindAsync(subscription, default))!.Value), subscription);

    public async ValueTask DisposeAsync()
    {
        _listening.Dispose();
        await _end.CancelAsync();
        await _loop;
        _end.Dispose();
    }
}

/// <summary>Time that passes while a test waits for something.</summary>
internal static class Waiting
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <param name="step">So much passes on the house's clock between two looks.</param>
    public static async Task UntilAsync(this House house, Func<Task<bool>> condition, TimeSpan step = default)
    {
        var limit = Task.Delay(Limit, TimeProvider.System);
        while (!await condition())
        {
            Assert.False(limit.IsCompleted, "It did not come to pass.");
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            house.Clock.Advance(step);
        }
    }

    public static Task UntilAsync(this House house, Func<bool> condition, TimeSpan step = default) => house.UntilAsync(() => Task.FromResult(condition()), step);

    /// <returns>Status of the Subscription.</returns>
    public static async Task<string> StatusAsync(this House house, string subscription)
    {
        var found = await house.Store.ReadAsync(new("Subscription", subscription), default);
        using var document = JsonDocument.Parse(found!.Json);
        return document.RootElement.GetProperty("status").GetString()!;
    }

    public static async Task<DeliveryState> StateAsync(this House house, string subscription)
    {
        var feed = (await house.Own.Feeds.FindAsync(subscription, default))!.Value;
        return (await house.Own.Deliveries.FindAsync(feed.Id, default))?.Value ?? new();
    }
}
