namespace FhirCore.Pacing;

/// <summary>
/// Lets work that nobody waits for (telling subscribers and patients, following changes) step back while a process has more requests than its
/// cores can serve at once: its pieces then go at a fixed rate, and take with each what has gathered meanwhile. Otherwise it costs nothing.
/// </summary>
/// <param name="running">Requests at work in this process.</param>
/// <param name="cores">That this process may use.</param>
/// <param name="interval">From one piece of work to the next while requests are many, on one core: eight times what a piece costs keeps it at an eighth of the core.</param>
/// <param name="longest">No piece waits longer, however many there are: telling may be late, and does not stop.</param>
public sealed class BackgroundPace(Func<int> running, int cores, TimeSpan interval, TimeSpan longest, TimeProvider clock)
{
    /// <summary>So many requests at once are more than a burst: a core that is behind for a moment has fewer.</summary>
    public const int RequestsOfACore = 32;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly long _longest = (long)(longest.TotalSeconds * clock.TimestampFrequency);
    private readonly long _interval = (long)(interval.TotalSeconds * clock.TimestampFrequency / Math.Max(1, cores));
    private long _next = long.MinValue;

    /// <summary>For work that has its process to itself.</summary>
    public static BackgroundPace Free { get; } = new(static () => 0, 1, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1), TimeProvider.System);

    private bool IsBusy => running() > RequestsOfACore * cores;

    /// <summary>To be awaited before each piece of work, and before what it is to be about is looked at.</summary>
    public ValueTask TurnAsync(CancellationToken ct) => TurnAsync(1, ct);

    /// <param name="pieces">How many are done in one go.</param>
    public ValueTask TurnAsync(int pieces, CancellationToken ct) => IsBusy ? new(WaitAsync(pieces, ct)) : default;

    private async Task WaitAsync(int pieces, CancellationToken ct)
    {
        var due = Reserve(pieces);
        for (var left = Until(due); left > TimeSpan.Zero && IsBusy; left = Until(due))
        {
            await Task.Delay(left < Look ? left : Look, clock, ct).ConfigureAwait(false);
        }
    }

    private TimeSpan Until(long due) => clock.GetElapsedTime(clock.GetTimestamp(), due);

    private long Reserve(int pieces)
    {
        var now = clock.GetTimestamp();
        lock (_lock)
        {
            var due = Math.Clamp(_next, now, now + _longest);
            _next = due + (_interval * pieces);
            return due;
        }
    }
}
