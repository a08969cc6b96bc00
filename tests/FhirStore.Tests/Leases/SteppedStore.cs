using FhirCore;
using FhirCore.Records;
using Storage.Contract;

namespace FhirStore.Tests.Leases;

/// <summary>
/// A store whose calls wait until a test carries them out and, apart from that, until it gives the answer back: a call may be held up
/// on its way there, on its way back, or be answered with an error although it was carried out.
/// </summary>
internal sealed class SteppedStore(IRecordStore inner) : LeaseStore(inner)
{
    private readonly List<Call> _waiting = [];

    public int Waiting => _waiting.Count;

    public void CarryOut(int which) => _waiting[which % _waiting.Count].CarryOut();

    /// <summary>Answers, and carries it out first where that has not happened.</summary>
    public void Answer(int which) => Take(which).Answer();

    public void Fail(int which) => Take(which).Fail();

    public override async ValueTask<StoredRecord?> GetAsync(ResourceKey key, CancellationToken ct) =>
        (StoredRecord?)await AskAsync(() => Inner.GetAsync(key, default).AsTask().GetAwaiter().GetResult());

    public override async Task<CommitResult> CommitAsync(Commit commit, CancellationToken ct) =>
        (CommitResult)(await AskAsync(() => Inner.CommitAsync(commit, default).GetAwaiter().GetResult()))!;

    private Task<object?> AskAsync(Func<object?> ask)
    {
        var call = new Call(ask);
        _waiting.Add(call);
        return call.Result;
    }

    private Call Take(int which)
    {
        var call = _waiting[which % _waiting.Count];
        _waiting.Remove(call);
        return call;
    }

    private sealed class Call(Func<object?> ask)
    {
        // Continuations run at once, on the test's thread: the order of everything is the test's.
        private readonly TaskCompletionSource<object?> _result = new();
        private object? _found;
        private bool _done;

        public Task<object?> Result => _result.Task;

        public void CarryOut()
        {
            if (!_done)
            {
                _found = ask();
                _done = true;
            }
        }

        public void Answer()
        {
            CarryOut();
            _result.SetResult(_found);
        }

        public void Fail() => _result.SetException(new StoreUnavailableException("away"));
    }
}
