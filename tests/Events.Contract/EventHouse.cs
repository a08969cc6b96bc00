using FhirCore.Events;
using FhirCore.Records;

namespace Events.Contract;

/// <summary>One store, and any number of processes that follow its events.</summary>
public abstract class EventHouse : IAsyncDisposable
{
    private readonly List<EventProcess> _processes = [];

    /// <summary>Past all processes: what a test writes and looks at.</summary>
    public abstract IRecordStore Store { get; }

    /// <summary>A process without any memory of its own.</summary>
    public EventProcess NewProcess()
    {
        var process = Open(new(StoreOf(_processes.Count)), new(), new());
        _processes.Add(process);
        return process;
    }

    /// <returns>Ids of events that are kept because nobody could handle them, each as often as it is kept.</returns>
    public abstract Task<IReadOnlyList<string>> SetAsideAsync(string group);

    /// <summary>Whether the group has written down where it begins.</summary>
    public async Task<bool> HasBegunAsync(string group)
    {
        var page = await Store.QueryAsync(new(EventProgress.RecordType, Predicate.Everything, RecordOrder.ById, null, 1000), default);
        return page.Records.Any(record => record.Key.Id.StartsWith($"{group}.", StringComparison.Ordinal));
    }

    /// <summary>Of all processes, for the message of a test that fails.</summary>
    public string Failures => string.Join(Environment.NewLine, _processes.SelectMany(process => process.Tally.Why).TakeLast(20));

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }
        await CloseAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>How a process comes by the store.</summary>
    protected virtual IRecordStore StoreOf(int process) => Store;

    protected abstract EventProcess Open(ProcessStore store, ChangeSignal signal, EventTally tally);

    protected abstract ValueTask CloseAsync();
}
