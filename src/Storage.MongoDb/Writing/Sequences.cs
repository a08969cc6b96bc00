using MongoDB.Bson;
using MongoDB.Driver;
using Storage.MongoDb.Connecting;
using Storage.MongoDb.Documents;

namespace Storage.MongoDb.Writing;

/// <summary>
/// Hands out the numbers of journal rows. The counter is moved outside of transactions, or every commit of every process would collide on it;
/// commits of this process that ask at the same time share one move.
/// </summary>
internal sealed class Sequences(Deployment deployment, TimeSpan most)
{
    private static readonly BsonDocument Filter = new(Names.Id, Names.JournalCounter);

    private sealed record Asking(int Count, TaskCompletionSource<long> First);

    private readonly IMongoCollection<BsonDocument> _counters = deployment.Database.GetCollection<BsonDocument>(Names.Counters);
    private readonly Lock _gate = new();
    private List<Asking> _waiting = [];
    private bool _moving;

    /// <returns>The first of so many numbers in a row.</returns>
    public Task<long> TakeAsync(int count, CancellationToken ct)
    {
        var asking = new Asking(count, new(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate)
        {
            _waiting.Add(asking);
            if (!_moving)
            {
                _moving = true;
                _ = Task.Run(MoveAsync, CancellationToken.None);
            }
        }
        return asking.First.Task.WaitAsync(ct);
    }

    /// <returns>The last number taken, in any process.</returns>
    public async Task<long> LastAsync(CancellationToken ct)
    {
        var found = await _counters.Find(Filter).FirstOrDefaultAsync(ct).ConfigureAwait(false);
        return NumberOf(found);
    }


    private async Task MoveAsync()
    {
        while (true)
        {
            List<Asking> asking;
            lock (_gate)
            {
                if (_waiting.Count == 0)
                {
                    _moving = false;
                    return;
                }
                (asking, _waiting) = (_waiting, []);
            }
            try
            {
                using var limit = new CancellationTokenSource(most);
                var total = asking.Sum(a => (long)a.Count);
                var update = new BsonDocument("$inc", new BsonDocument(Names.Number, total));
                var options = new FindOneAndUpdateOptions<BsonDocument> { IsUpsert = true, ReturnDocument = ReturnDocument.After };
                var next = NumberOf(await _counters.FindOneAndUpdateAsync(Filter, update, options, limit.Token).ConfigureAwait(false)) - total + 1;
                foreach (var one in asking)
                {
                    one.First.TrySetResult(next);
                    next += one.Count;
                }
            }
            catch (Exception e)
            {
                asking.ForEach(a => a.First.TrySetException(e));
            }
        }
    }

    private static long NumberOf(BsonDocument? counter) => counter is null ? 0
        : counter.GetValue(Names.Number, BsonNull.Value) is { IsInt64: true } or { IsInt32: true } ? counter[Names.Number].ToInt64()
        : throw Row.Damaged("counter");
}
