using MongoDB.Bson;
using MongoDB.Driver;

namespace Storage.MongoDb.Connecting;

/// <summary>The transactions this process has open: a bounded number, all with the same guarantees.</summary>
internal sealed class OpenTransactions(Deployment deployment, MongoDbOptions options) : IDisposable
{
    private static readonly ClientSessionOptions Sessions = new() { CausalConsistency = false };

    private static readonly TimeSpan ForEnding = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _free = new(options.MaxOpenTransactions);
    private readonly TransactionOptions _reading = new(ReadConcern.Snapshot, ReadPreference.Primary, Deployment.Durable);
    private readonly TransactionOptions _writing = new(ReadConcern.Snapshot, ReadPreference.Primary, Deployment.Durable, options.OperationTimeout);

    public Task EnterAsync(CancellationToken ct) => _free.WaitAsync(ct);

    public void Exit() => _free.Release();

    /// <summary>Begins one; the caller has entered.</summary>
    public async Task<IClientSessionHandle> BeginAsync(CancellationToken ct)
    {
        var session = await deployment.Client.StartSessionAsync(Sessions, ct).ConfigureAwait(false);
        session.StartTransaction(_writing);
        return session;
    }

    /// <summary>Reads of one moment's state.</summary>
    public async Task<T> ReadAsync<T>(Func<IClientSessionHandle, Task<T>> read, CancellationToken ct)
    {
        await EnterAsync(ct).ConfigureAwait(false);
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                using var session = await deployment.Client.StartSessionAsync(Sessions, ct).ConfigureAwait(false);
                session.StartTransaction(_reading);
                try
                {
                    return await read(session).ConfigureAwait(false);
                }
                catch (Exception e) when (Failures.IsTransient(e) && attempt < 5)
                {
                    await Task.Delay(10 << attempt, ct).ConfigureAwait(false);
                }
                finally
                {
                    await AbortAsync(session).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            Exit();
        }
    }

    /// <summary>Ends it without a commit. Best effort: a transaction that nobody ends, the server ends after a minute.</summary>
    public async Task AbortAsync(IClientSessionHandle session)
    {
        if (!session.IsInTransaction)
        {
            return;
        }
        try
        {
            using var soon = new CancellationTokenSource(ForEnding);
            await session.AbortTransactionAsync(soon.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (IsDriverTrouble(e))
        {
            await KillAsync(session).ConfigureAwait(false);
        }
    }

    /// <summary>Ends it whatever state the driver believes it in: one whose commit was lost on its way holds what it wrote until then.</summary>
    public async Task KillAsync(IClientSessionHandle session)
    {
        try
        {
            using var soon = new CancellationTokenSource(ForEnding);
            var kill = new BsonDocument("killSessions", new BsonArray { session.ServerSession.Id });
            await deployment.Client.GetDatabase("admin").RunCommandAsync<BsonDocument>(kill, cancellationToken: soon.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (IsDriverTrouble(e))
        {
        }
    }

    public void Dispose() => _free.Dispose();

    private static bool IsDriverTrouble(Exception e) =>
        e is MongoException or OperationCanceledException or TimeoutException or IOException or InvalidOperationException;
}
