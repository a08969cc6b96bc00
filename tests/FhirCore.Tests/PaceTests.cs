using FhirCore.Pacing;
using Microsoft.Extensions.Time.Testing;

namespace FhirCore.Tests;

public sealed class PaceTests
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
    private double _running;

    private static TimeSpan Interval => TimeSpan.FromMilliseconds(4);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private BackgroundPace Make(int cores) => new(() => _running, cores, Interval, _clock);

    [Theory]
    [InlineData(1, BackgroundPace.RequestsOfACore)]
    [InlineData(4, 4 * BackgroundPace.RequestsOfACore)]
    public void Turn_WhileRequestsAreFew_IsNow(int cores, int running)
    {
        _running = running;
        var pace = Make(cores);

        Assert.All(Enumerable.Range(0, 1_000), _ => Assert.True(pace.TurnAsync(Ct).IsCompletedSuccessfully));
    }

    [Fact]
    public async Task Turns_WhileRequestsAreMany_FollowOneAnotherAtTheRate()
    {
        _running = 1_000;
        var pace = Make(1);
        var turns = Enumerable.Range(0, 5).Select(_ => pace.TurnAsync(Ct).AsTask()).ToArray();

        for (var done = 1; done <= turns.Length; done++)
        {
            await Task.WhenAll(turns[..done]);
            Assert.All(turns[done..], turn => Assert.False(turn.IsCompleted));
            _clock.Advance(Interval);
        }
    }

    [Fact]
    public async Task Turn_OfManyPieces_KeepsTheNextWaitingForAllOfThem()
    {
        _running = 1_000;
        var pace = Make(2);
        await pace.TurnAsync(10, Ct);
        var next = pace.TurnAsync(Ct).AsTask();
        _clock.Advance(Interval * 4);
        Assert.False(next.IsCompleted);
        _clock.Advance(Interval);
        await next;
    }

    /// <summary>However many wait and however long requests stay many: telling goes on, and costs no more than its share.</summary>
    [Fact]
    public async Task Turns_OfThousands_KeepTheRate()
    {
        _running = 1_000;
        var pace = Make(1);
        var turns = Enumerable.Range(0, 2_000).Select(_ => pace.TurnAsync(Ct).AsTask()).ToArray();
        for (var i = 0; i < 250; i++)
        {
            _clock.Advance(Interval);
        }

        await Task.WhenAll(turns[..251]).WaitAsync(TimeSpan.FromSeconds(30), Ct);
        Assert.All(turns[251..], turn => Assert.False(turn.IsCompleted));
    }

    [Fact]
    public async Task Turns_ComeAtOnce_WhenRequestsHaveBecomeFew()
    {
        _running = 1_000;
        var pace = Make(1);
        var turns = Enumerable.Range(0, 2_000).Select(_ => pace.TurnAsync(Ct).AsTask()).ToArray();
        Assert.False(turns[^1].IsCompleted);
        _running = 0;
        _clock.Advance(TimeSpan.FromMilliseconds(20)); // those in front look so often, and tell those behind who look every second

        await Task.WhenAll(turns).WaitAsync(TimeSpan.FromSeconds(30), Ct);
    }

    /// <summary>What was reserved by those who did not have to wait in the end keeps nobody waiting later.</summary>
    [Fact]
    public async Task Turn_WhenRequestsAreManyOnceMore_IsNotBehindTheTurnsOfBefore()
    {
        _running = 1_000;
        var pace = Make(1);
        var turns = Enumerable.Range(0, 2_000).Select(_ => pace.TurnAsync(Ct).AsTask()).ToArray();
        _running = 0;
        _clock.Advance(TimeSpan.FromMilliseconds(20));
        await Task.WhenAll(turns).WaitAsync(TimeSpan.FromSeconds(30), Ct);
        _running = 1_000;

        Assert.True(pace.TurnAsync(Ct).IsCompletedSuccessfully);
    }
}
