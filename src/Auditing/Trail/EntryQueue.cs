using Auditing.Entries;

namespace Auditing.Trail;

/// <summary>An entry on its way to the store, and who waits for it.</summary>
internal readonly record struct Waiting(AuditEntry Entry, TaskCompletionSource? Stored);

/// <summary>
/// Entries between the requests and the one writer. Taking one in is a lock and a list's next place; nobody is woken for an entry that
/// may wait.
/// </summary>
internal sealed class EntryQueue(int urgentAt)
{
    private readonly Lock _gate = new();
    private List<Waiting> _waiting = new(256);
    private TaskCompletionSource _any = Signal();
    private TaskCompletionSource _urgent = Signal();
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Done when there is an entry.</summary>
    public Task Any
    {
        get
        {
            lock (_gate)
            {
                return _any.Task;
            }
        }
    }

    /// <summary>Done when somebody waits for an entry to be stored, or a block is full.</summary>
    public Task Urgent
    {
        get
        {
            lock (_gate)
            {
                return _urgent.Task;
            }
        }
    }

    public void Add(AuditEntry entry, TaskCompletionSource? stored)
    {
        lock (_gate)
        {
            _waiting.Add(new(entry, stored));
            _count = _waiting.Count;
            if (_count == 1)
            {
                _any.TrySetResult();
            }
            if (stored is not null || _count == urgentAt)
            {
                _urgent.TrySetResult();
            }
        }
    }

    /// <summary>Everything that waits.</summary>
    public List<Waiting> TakeAll()
    {
        lock (_gate)
        {
            var taken = _waiting;
            _waiting = new(Math.Max(256, taken.Count));
            _count = 0;
            (_any, _urgent) = (Renew(_any), Renew(_urgent));
            return taken;
        }
    }

    private static TaskCompletionSource Renew(TaskCompletionSource signal) => signal.Task.IsCompleted ? Signal() : signal;

    private static TaskCompletionSource Signal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
