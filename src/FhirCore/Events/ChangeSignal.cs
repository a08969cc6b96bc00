namespace FhirCore.Events;

/// <summary>
/// Wakes whoever follows the change log of this process as soon as something was committed here. Other processes' commits are not told:
/// followers look by themselves from time to time.
/// </summary>
public sealed class ChangeSignal
{
    private volatile TaskCompletionSource _next = New();

    /// <summary>To be taken before looking, so that nothing committed after the look is missed.</summary>
    public Task Next => _next.Task;

    public void Pulse()
    {
        if (!_next.Task.IsCompleted)
        {
            Interlocked.Exchange(ref _next, New()).TrySetResult();
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
