using System.Collections.Concurrent;
using FhirCore.Events;

namespace Events.Contract;

/// <summary>A process that follows events, as far as a test is concerned with it.</summary>
/// <param name="end">Closes what the process has open; it may be called of a dead one.</param>
public sealed class EventProcess(IEventLog log, ProcessStore store, ChangeSignal signal, EventTally tally, Func<ValueTask> end) : IAsyncDisposable
{
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(60);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _following = [];
    private bool _isDisposed;

    public IEventLog Log => log;

    public ProcessStore Store => store;

    /// <summary>To be pulsed when this process itself has committed.</summary>
    public ChangeSignal Signal => signal;

    public EventTally Tally => tally;

    public void Follow(EventGroup group, IEventHandler handler) => _following.Add(Task.Run(() => log.FollowAsync(group, handler, _stopping.Token)));

    /// <summary>Told to stop, it comes to its end.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_following).WaitAsync(LongestStop);
    }

    public bool IsToldToStop => _stopping.IsCancellationRequested;

    /// <summary>Told to stop, but a handler of it does not listen: the test goes on meanwhile.</summary>
    public Task TellToStopAsync() => _stopping.CancelAsync();

    /// <summary>As kill -9: nothing it was about to do reaches the store.</summary>
    public async Task DieAsync()
    {
        store.Die();
        await _stopping.CancelAsync();
        try
        {
            await Task.WhenAll(_following).WaitAsync(LongestStop);
        }
        catch (Exception error) when (error is not TimeoutException)
        {
            // Whatever it dies of.
        }
        _following.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }
        _isDisposed = true;
        await DieAsync();
        await end();
        _stopping.Dispose();
    }
}

/// <summary>What a process was told of its events.</summary>
public sealed class EventTally : IEventObserver
{
    private int _failures;

    public ConcurrentQueue<DeadEvent> Dead { get; } = new();

    public ConcurrentQueue<string> Why { get; } = new();

    public int Failures => Volatile.Read(ref _failures);

    public void Handled(string group, int events, TimeSpan oldest)
    {
    }

    public void Failed(string group, string lane, Exception why)
    {
        Interlocked.Increment(ref _failures);
        Why.Enqueue($"{group} {lane}: {why.GetType().Name}: {why.Message}");
    }

    public void SetAside(DeadEvent dead) => Dead.Enqueue(dead);
}
