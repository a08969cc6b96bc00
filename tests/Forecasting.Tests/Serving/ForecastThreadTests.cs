using Forecasting.Serving;

namespace Forecasting.Tests.Serving;

public sealed class ForecastThreadTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Work_OfManyAtOnce_IsDoneOneByOneOnOneThread()
    {
        using var thread = new ForecastThread(TimeProvider.System);
        var (running, most) = (0, 0);
        var threads = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => thread.RunAsync(() =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            Thread.Yield();
            Interlocked.Decrement(ref running);
            return Environment.CurrentManagedThreadId;
        }, default))).WaitAsync(Limit);

        Assert.Equal(1, most);
        Assert.Single(threads.Distinct());
        Assert.DoesNotContain(Environment.CurrentManagedThreadId, threads);
    }

    [Fact]
    public async Task Work_ThatThrows_TellsWhoeverAskedAndGoesOn()
    {
        using var thread = new ForecastThread(TimeProvider.System);

        await Assert.ThrowsAsync<InvalidOperationException>(() => thread.RunAsync<int>(() => throw new InvalidOperationException(), default)).WaitAsync(Limit);
        Assert.Equal(7, await thread.RunAsync(() => 7, default).WaitAsync(Limit));
    }

    [Fact]
    public async Task Work_ThatNobodyWaitsForAnyMore_IsLeftOut()
    {
        using var thread = new ForecastThread(TimeProvider.System);
        using var gone = new CancellationTokenSource();
        using var gate = new ManualResetEventSlim();
        var first = thread.RunAsync(() => gate.Wait(Limit), default);
        var second = thread.RunAsync<int>(() => throw new InvalidOperationException("It was not left out."), gone.Token);
        await gone.CancelAsync();
        gate.Set();

        Assert.True(await first.WaitAsync(Limit));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WaitAsync(Limit));
    }

    [Fact]
    public async Task Dispose_TellsWhoeverStillWaits()
    {
        var thread = new ForecastThread(TimeProvider.System);
        using var gate = new ManualResetEventSlim();
        var begun = new TaskCompletionSource();
        var first = thread.RunAsync(() =>
        {
            begun.SetResult();
            return gate.Wait(Limit);
        }, default);
        await begun.Task.WaitAsync(Limit);
        var second = thread.RunAsync(() => 1, default);
        thread.Dispose();
        gate.Set();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WaitAsync(Limit));
        await first.WaitAsync(Limit);
    }
}
