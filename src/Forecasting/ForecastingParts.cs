using FhirCore.Attendance;
using FhirCore.Records;
using FhirStore;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Sealed;
using FhirStore.Search;
using Forecasting.NoShow;
using Forecasting.Series;
using Forecasting.Serving;

namespace Forecasting;

/// <summary>The parts of this room, put together once for a process.</summary>
public sealed class ForecastingParts : IDisposable
{
    public ForecastingParts(
        IRecordStore records, RecordCipher cipher, IndexTokens tokens, OperationalFields fields, ResourceStore store, SearchService search, IReminderCount reminders, LoadOptions options, NoShowOptions noShow, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        Thread = new(clock);
        Load = new(records, cipher, tokens, clock);
        Counter = new(records, cipher, store, Load, options);
        Follower = new(records, cipher, Counter, Load, options, Tally, clock);
        Recount = new(records, cipher, Counter, Load, Tally, clock);
        var ids = tokens.KeyFor(ForecastBook.RecordType);
        var reader = new LoadReader(records, Load);
        var directory = new LoadDirectory(store, search, options);
        var slots = new SlotBook(records, fields);
        var subjects = new SubjectReader(directory, options, clock);
        var book = new ForecastBook(
            reader, slots, new(records, cipher, clock, ForecastBook.RecordType, ForecastJson.Default.StoredForecast, static (_, _) => { }),
            name => SecretId.Of(ids, name), Thread, clock);
        Answers = new(directory, subjects, new(directory), book, new(directory, subjects, reader, book));
        Capacity = new(Answers, book, slots);
        Warmer = new(directory, subjects, book, reader, clock);
        var facts = new VisitFacts(options, store, reminders);
        var models = new NoShowModels(new(records, cipher, clock, NoShowModels.RecordType, NoShowJson.Default.NoShowModel, static (_, _) => { }), clock);
        var risk = new NoShowRisk(store, directory, facts, models, options, noShow, clock);
        var overbooking = new OverbookingAnswers(directory, store, fields, risk, options, clock);
        (Risk, Models, Options) = (risk, models, noShow);
        Training = new(records, cipher, store, facts, models, options, noShow, Thread, clock);
        NoShow = new(directory, Answers, risk, overbooking, new(directory, overbooking, risk, clock), noShow);
    }

    /// <summary>What has been counted.</summary>
    public LoadTally Tally { get; } = new();

    /// <summary>Where everything is computed.</summary>
    public ForecastThread Thread { get; }

    /// <summary>For whoever plans reminders.</summary>
    public INoShowRisk Risk { get; }

    internal NoShowOptions Options { get; }

    internal LoadRecords Load { get; }

    internal LoadCounter Counter { get; }

    internal LoadFollower Follower { get; }

    internal Recount Recount { get; }

    internal NoShowModels Models { get; }

    internal NoShowTraining Training { get; }

    internal NoShowAnswers NoShow { get; }

    internal LoadAnswers Answers { get; }

    internal CapacityAnswers Capacity { get; }

    internal ForecastWarmer Warmer { get; }

    public void Dispose() => Thread.Dispose();
}
