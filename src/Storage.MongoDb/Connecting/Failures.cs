using FhirCore.Records;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Storage.MongoDb.Connecting;

/// <summary>What the driver throws, in the port's words. Messages name no host, no user and no data.</summary>
internal static class Failures
{
    private const int DuplicateKey = 11000;
    private const int AuthenticationFailed = 18;
    private const int Unauthorized = 13;

    public const string Standalone = "A server that runs standalone must be started as a replica set, of one member if need be: mongod --replSet rs0, then once in mongosh: rs.initiate().";

    /// <summary>Runs one call of the port: no longer than the time it has, and no exception of the driver leaves it.</summary>
    public static async Task<T> GuardAsync<T>(TimeSpan most, CancellationToken ct, Func<CancellationToken, Task<T>> run)
    {
        ct.ThrowIfCancellationRequested();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(most);
        try
        {
            return await run(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw new OperationCanceledException(ct);
        }
        catch (Exception e) when (Translate(e, most) is { } known)
        {
            throw known;
        }
    }

    /// <returns>Null for what is neither the engine's nor the driver's.</returns>
    public static Exception? Translate(Exception e, TimeSpan most) => e switch
    {
        StoreUnavailableException or StoreCorruptException or RecordTooLargeException => null,
        OperationCanceledException => new StoreUnavailableException($"MongoDB did not answer within {most.TotalSeconds:0.#} s.", e),
        TimeoutException => new StoreUnavailableException(WhyUnreachable(e), e),
        FormatException or BsonException => new StoreCorruptException("A document cannot be read: it is not what was written.", e),
        MongoException mongo => new StoreUnavailableException(Describe(mongo), e),
        IOException or System.Net.Sockets.SocketException => new StoreUnavailableException("The connection to MongoDB broke.", e),
        ObjectDisposedException => new StoreUnavailableException("The store is closed.", e),
        _ => null,
    };

    public static bool IsDuplicateKey(Exception e) => e switch
    {
        MongoWriteException write => write.WriteError?.Code == DuplicateKey,
        MongoBulkWriteException bulk => bulk.WriteErrors.Any(w => w.Code == DuplicateKey),
        MongoCommandException command => command.Code == DuplicateKey,
        _ => false,
    };

    /// <summary>The whole transaction may be tried again: it left nothing behind.</summary>
    public static bool IsTransient(Exception e) => e is MongoException mongo && mongo.HasErrorLabel("TransientTransactionError");

    /// <summary>The primary is changing, or a connection broke.</summary>
    public static bool IsFailover(Exception e) => e is MongoConnectionException or MongoNotPrimaryException or MongoNodeIsRecoveringException && e is not MongoAuthenticationException;

    public static bool IsUnknownCommit(Exception e) => e is MongoException mongo
        && (mongo.HasErrorLabel("UnknownTransactionCommitResult") || mongo is MongoConnectionException or MongoExecutionTimeoutException);

    /// <summary>Why no server could be chosen or greeted: the driver's report holds the reason of each, deep inside.</summary>
    public static string WhyUnreachable(Exception e)
    {
        var all = e.ToString();
        if (Has("MongoAuthenticationException") || Has("Authentication failed"))
        {
            return "MongoDB refuses the credentials.";
        }
        if (Has("AuthenticationException") || Has("Net.Security.SslStream"))
        {
            return "The TLS connection to MongoDB could not be made: check the certificate, its authority and the name of the host.";
        }
        return Has("Servers : []") || Has("Type: \"ReplicaSet") // members answer, or none of the right set
            ? "No primary of the MongoDB replica set can be reached. " + Standalone
            : "MongoDB cannot be reached.";

        bool Has(string word) => all.Contains(word, StringComparison.Ordinal);
    }

    private static string Describe(MongoException e) => e switch
    {
        MongoAuthenticationException => "MongoDB refuses the credentials.",
        MongoCommandException { Code: AuthenticationFailed } => "MongoDB refuses the credentials.",
        MongoCommandException { Code: Unauthorized } => "MongoDB does not allow this user to use the database.",
        MongoConnectionException => WhyUnreachable(e) is var why && why.StartsWith("MongoDB cannot", StringComparison.Ordinal) ? "The connection to MongoDB broke." : why,
        MongoCommandException command => $"MongoDB refused: {CodeOf(command.CodeName, command.Code)}.",
        MongoBulkWriteException bulk => bulk.WriteConcernError is { } concern
            ? $"MongoDB did not confirm the write: {CodeOf(concern.CodeName, concern.Code)}."
            : $"MongoDB refused a write: {CodeOf(null, bulk.WriteErrors.Count > 0 ? bulk.WriteErrors[0].Code : 0)}.",
        MongoWriteException write => $"MongoDB refused a write: {CodeOf(null, write.WriteError?.Code ?? write.WriteConcernError?.Code ?? 0)}.",
        _ => $"MongoDB failed: {e.GetType().Name}.",
    };

    private static string CodeOf(string? name, int code) => string.IsNullOrEmpty(name) ? $"error {code}" : $"{name} ({code})";
}
