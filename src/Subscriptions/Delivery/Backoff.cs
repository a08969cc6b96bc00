namespace Subscriptions.Delivery;

/// <summary>How long to wait after failed attempts: twice as long each time, up to a limit, and less by chance, so that those who failed together do not come back together.</summary>
public static class Backoff
{
    /// <param name="attempts">Failed so far, from 1.</param>
    /// <param name="asked">As the receiver asks: never less than this.</param>
    /// <param name="chance">From 0 to 1.</param>
    /// <returns>Between half and the whole of the pause that is due.</returns>
    public static TimeSpan After(int attempts, TimeSpan? asked, SubscriptionOptions options, double chance)
    {
        ArgumentNullException.ThrowIfNull(options);
        var pause = options.FirstRetry;
        for (var i = 1; i < attempts && pause < options.LongestRetry; i++)
        {
            pause *= 2;
        }
        pause = pause < options.LongestRetry ? pause : options.LongestRetry;
        pause *= 0.5 + (chance / 2);
        return asked > pause ? asked.Value : pause;
    }
}
