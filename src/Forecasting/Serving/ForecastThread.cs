using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Forecasting.Serving;

/// <summary>
/// One thread for all computing of this room, one piece of work after another, which gives way to whoever answers requests. It is started
/// when there is something to compute, and ends when there was nothing for a while.
/// </summary>
public sealed class ForecastThread(TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    private readonly Channel<Action> _work = Channel.CreateUnbounded<Action>(new() { SingleReader = false });
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private bool _isRunning;
    private long _busy;

    /// <summary>Time spent computing.</summary>
    public TimeSpan Busy => TimeSpan.FromTicks(Volatile.Read(ref _busy));

    /// <summary>Computes when it is its turn; what was asked for by somebody who has gone is left out.</summary>
    public Task<T> RunAsync<T>(Func<T> compute, CancellationToken ct)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Writer.TryWrite(() =>
        {
            if (ct.IsCancellationRequested || _stopping.IsCancellationRequested)
            {
                result.TrySetCanceled(CancellationToken.None);
                return;
            }
            var began = clock.GetTimestamp();
            try
            {
                result.TrySetResult(compute());
            }
            catch (Exception error)
            {
                result.TrySetException(error);
            }
            Interlocked.Add(ref _busy, clock.GetElapsedTime(began).Ticks);
        });
        Start();
        return result.Task;
    }

    public void Dispose()
    {
        _stopping.Cancel();
        while (_work.Reader.TryRead(out var left))
        {
            left(); // tells whoever waits
        }
    }

    private void Start()
    {
        lock (_gate)
        {
            if (!_isRunning)
            {
                _isRunning = true;
                new Thread(Loop) { IsBackground = true, Name = "forecasting", Priority = ThreadPriority.Lowest }.Start();
            }
        }
    }

    private void Loop()
    {
        GiveWay();
        while (true)
        {
            while (_work.Reader.TryRead(out var next))
            {
                next();
            }
            using var idle = new CancellationTokenSource(Idle);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, _stopping.Token);
            try
            {
                _work.Reader.WaitToReadAsync(either.Token).AsTask().GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                lock (_gate)
                {
                    if (_work.Reader.Count == 0)
                    {
                        _isRunning = false;
                        return;
                    }
                }
            }
        }
    }

    /// <summary>On Linux the runtime leaves priorities alone, but a thread may make itself nicer.</summary>
    private static void GiveWay()
    {
        MathNet.Numerics.Control.UseSingleThread(); // its helpers would be of the pool that answers requests
        if (OperatingSystem.IsLinux())
        {
            _ = SetPriority(0, 0, 19); // where it is not allowed it just is not nicer
        }
    }

    /// <summary>setpriority(2): of 0, PRIO_PROCESS, and 0, which on Linux is the calling thread.</summary>
    [DllImport("libc", EntryPoint = "setpriority")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, int who, int priority);
}
