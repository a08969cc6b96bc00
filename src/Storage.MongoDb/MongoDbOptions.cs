using System.Collections.Immutable;
using FhirCore.Records;

namespace Storage.MongoDb;

/// <summary>Which deployment the store lives on, and how long and how wide it may use it.</summary>
public sealed record MongoDbOptions
{
    /// <summary>A replica set or a sharded cluster. Hosts, credentials, TLS and pool sizes are taken as they are; read and write concerns are the store's own.</summary>
    public required string ConnectionString { get; init; }

    /// <summary>Belongs to this store alone.</summary>
    public required string Database { get; init; }

    /// <summary>
    /// Every field that some query orders by; a record has at most one value of each. A field may be added, which indexes the records written
    /// from then on, but none may be left out later.
    /// </summary>
    public ImmutableArray<IndexField> OrderedFields { get; init; } = [];

    /// <summary>No call takes longer; then it ends with <see cref="StoreUnavailableException"/>. 1 second to 5 minutes.</summary>
    public TimeSpan OperationTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Transactions this process has open at a time, 1 to 1,000. A further commit waits.</summary>
    public int MaxOpenTransactions { get; init; } = 64;

    /// <summary>Reads this process asks for at a time, 1 to 1,000. A further one waits.</summary>
    public int MaxOpenReads { get; init; } = 64;

    /// <summary>
    /// How long a number of the change log may stay without its row before readers give it up, 100 milliseconds to 1 minute. A commit that
    /// comes later than that takes a new number.
    /// </summary>
    public TimeSpan SequenceGrace { get; init; } = TimeSpan.FromSeconds(2);

    /// <exception cref="ArgumentException">A value cannot work.</exception>
    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(ConnectionString);
        ArgumentException.ThrowIfNullOrWhiteSpace(Database);
        if (Database.Length > 63 || Database.AsSpan().IndexOfAny("/\\. \"$*<>:|?\0") >= 0)
        {
            throw new ArgumentException($"{nameof(Database)} has up to 63 characters and none of / \\ . \" $ * < > : | ? or space.");
        }
        if (OrderedFields.IsDefault)
        {
            throw new ArgumentException($"{nameof(OrderedFields)} is not set.");
        }
        if (OperationTimeout < TimeSpan.FromSeconds(1) || OperationTimeout > TimeSpan.FromMinutes(5))
        {
            throw new ArgumentException($"{nameof(OperationTimeout)} is 1 second to 5 minutes.");
        }
        if (MaxOpenTransactions is < 1 or > 1000)
        {
            throw new ArgumentException($"{nameof(MaxOpenTransactions)} is 1 to 1,000.");
        }
        if (MaxOpenReads is < 1 or > 1000)
        {
            throw new ArgumentException($"{nameof(MaxOpenReads)} is 1 to 1,000.");
        }
        if (SequenceGrace < TimeSpan.FromMilliseconds(100) || SequenceGrace > TimeSpan.FromMinutes(1))
        {
            throw new ArgumentException($"{nameof(SequenceGrace)} is 100 milliseconds to 1 minute.");
        }
    }
}
