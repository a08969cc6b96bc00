namespace FhirCore.Pacing;

/// <summary>
/// Lets work that nobody waits for (telling subscribers and patients, following changes) step back while a process has more requests than its
/// cores can serve at once: its pieces then go at a fixed rate, in the order in which they were asked for, and take with each what has gathered
/// meanwhile. Otherwise it costs nothing.
/// </summary>
/// <remarks>The rate is what all of it may cost together: with more to do a piece waits longer, and it never stops.</remarks>
/// <param name="requests">That this process works on at once: <see cref="RequestLoad.AtOnce"/>.</param>
/// <param name="cores">That this process may use.</param>
/// <param name="interval">From one piece of work to the next while requests are many, on one core: twenty times what a piece costs keeps it at a twentieth of the core.</param>
public sealed class BackgroundPace(Func<double> requests, int cores, TimeSpan interval, TimeProvider clock)
{
    /// <summary>So many requests at once, and for longer than a moment, are more than a core can serve.</summary>
    public const int RequestsOfACore = 16;

    private static readonly TimeSpan ShortestLook = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly long _interval = (long)(interval.TotalSeconds * clock.TimestampFrequency / Math.Max(1, cores));
    private long _next = long.MinValue;
    private TaskCompletionSource _calm = NewCalm();

    /// <summary>For work that has its process to itself.</summary>
    public static BackgroundPace Free { get; } = new(static () => 0, 1, TimeSpan.FromMilliseconds(1), TimeProvider.System);

    private bool IsBusy => requests() > RequestsOfACore * cores;

    /// <summary>To be awaited before each piece of work, and before what it is to be about is looked at.</summary>
    public ValueTask TurnAsync(CancellationToken ct) => TurnAsync(1, ct);

    /// <param name="pieces">How many are done in one go.</param>
    public ValueTask TurnAsync(int pieces, CancellationToken ct) => IsBusy ? new(WaitAsync(pieces, ct)) : default;

    private async Task WaitAsync(int pieces, CancellationToken ct)
    {
        var (due, calm) = Reserve(pieces);
        for (var left = Until(due); left > TimeSpan.Zero && !calm.IsCompleted; left = Until(due))
        {
            if (!IsBusy)
            {
                LetAllGo();
                return;
            }
            await Task.WhenAny(calm, Task.Delay(Look(left), clock, ct)).ConfigureAwait(false);
            ct.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Whose turn is far off looks seldom: there may be thousands who wait.</summary>
    private static TimeSpan Look(TimeSpan left) => new(Math.Min(left.Ticks, Math.Clamp(left.Ticks / 4, ShortestLook.Ticks, LongestLook.Ticks)));

    private TimeSpan Until(long due) => clock.GetElapsedTime(clock.GetTimestamp(), due);

    private (long Due, Task Calm) Reserve(int pieces)
    {
        var now = clock.GetTimestamp();
        lock (_lock)
        {
            var due = Math.Max(_next, now);
            _next = due + (_interval * pieces);
            return (due, _calm.Task);
        }
    }

    /// <summary>Whoever looks first and finds few requests tells all who wait: everybody's turn has come, and the next time begins anew.</summary>
    private void LetAllGo()
    {
        TaskCompletionSource waiting;
        lock (_lock)
        {
            _next = long.MinValue;
            (waiting, _calm) = (_calm, NewCalm());
        }
        waiting.SetResult();
    }

    private static TaskCompletionSource NewCalm() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
