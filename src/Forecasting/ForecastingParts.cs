using FhirCore.Records;
using FhirStore;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Sealed;
using FhirStore.Search;
using Forecasting.Series;
using Forecasting.Serving;

namespace Forecasting;

/// <summary>The parts of this room, put together once for a process.</summary>
public sealed class ForecastingParts : IDisposable
{
    public ForecastingParts(
        IRecordStore records, RecordCipher cipher, IndexTokens tokens, OperationalFields fields, ResourceStore store, SearchService search, LoadOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        (Records, Cipher, Clock) = (records, cipher, clock);
        Thread = new(clock);
        Load = new(records, cipher, tokens, clock);
        Counter = new(records, cipher, store, Load, options);
        Follower = new(records, cipher, Counter, Load, options, Tally, clock);
        Recount = new(records, cipher, Counter, Load, Tally, clock);
        var ids = tokens.KeyFor(ForecastBook.RecordType);
        var reader = new LoadReader(records, Load);
        var directory = new LoadDirectory(store, search, options);
        var slots = new SlotBook(records, fields);
        Directory = directory;
        Subjects = new(directory, options, clock);
        Book = new(
            reader, slots, new(records, cipher, clock, ForecastBook.RecordType, ForecastJson.Default.StoredForecast, static (_, _) => { }),
            name => SecretId.Of(ids, name), Thread, clock);
        Answers = new(directory, Subjects, new(directory), Book, new(directory, Subjects, reader, Book));
        Capacity = new(Answers, Book, slots);
        Warmer = new(directory, Subjects, Book, reader, clock);
    }

    /// <summary>What has been counted.</summary>
    public LoadTally Tally { get; } = new();

    /// <summary>Where everything is computed.</summary>
    public ForecastThread Thread { get; }

    internal IRecordStore Records { get; }

    internal RecordCipher Cipher { get; }

    internal TimeProvider Clock { get; }

    internal LoadRecords Load { get; }

    internal LoadCounter Counter { get; }

    internal LoadFollower Follower { get; }

    internal Recount Recount { get; }

    internal LoadDirectory Directory { get; }

    internal SubjectReader Subjects { get; }

    internal ForecastBook Book { get; }

    internal LoadAnswers Answers { get; }

    internal CapacityAnswers Capacity { get; }

    internal ForecastWarmer Warmer { get; }

    public void Dispose() => Thread.Dispose();
}
