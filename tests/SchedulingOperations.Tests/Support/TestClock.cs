using Microsoft.Extensions.Time.Testing;

namespace SchedulingOperations.Tests.Support;

/// <summary>Time stands until a test moves it; timers run by real time, so that a retry's pause ends.</summary>
internal sealed class TestClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, dueTime, period);
}
