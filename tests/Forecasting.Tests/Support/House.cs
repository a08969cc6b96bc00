using System.Text;
using FhirCore;
using FhirCore.Attendance;
using FhirCore.Events;
using FhirCore.Records;
using FhirStore;
using FhirStore.Encryption;
using FhirStore.Indexing;
using FhirStore.Json;
using FhirStore.Search;
using FhirStore.Writing;
using Forecasting.NoShow;
using Forecasting.Series;
using Forecasting.Serving;
using Forecasting.Tests.Series;
using NodaTime;
using SchedulingOperations.Tests.Support;
using Storage.Contract;

namespace Forecasting.Tests.Support;

/// <summary>A whole store in memory with the series' bookkeeping. Its clock stands at 2030-01-07 08:00 UTC, a Monday.</summary>
internal sealed class House : IDisposable
{
    public const string BaseUrl = "http://test/fhir";
    public static readonly DateTimeOffset Opening = new(2030, 1, 7, 8, 0, 0, TimeSpan.Zero);

    private readonly StoreKeys _keys;
    private readonly ForecastingParts _parts;

    private House(IRecordStore records, StoreKeys keys, TestClock clock)
    {
        (Records, _keys, Clock) = (records, keys, clock);
        var searchOptions = new SearchOptions { BaseUrl = BaseUrl };
        var fields = new OperationalFields(keys.IndexTokens);
        var indexer = new ResourceIndexer(keys.IndexTokens, fields, searchOptions);
        Search = new(records, keys.Cipher, keys.Protector, indexer, fields, searchOptions, clock);
        Store = new(records, keys.Cipher, indexer, Search, [], clock);
        _parts = new(records, keys.Cipher, keys.IndexTokens, fields, Store, Search, new NoReminders(), Options, NoShow, clock);
        Reader = new(records, Load);
        Api = new(_parts);
    }

    public static NoShowOptions NoShow { get; } = new();

    public static LoadOptions Options { get; } = new(BaseUrl, DateTimeZone.Utc);

    public IRecordStore Records { get; }

    public TestClock Clock { get; }

    public ResourceStore Store { get; }

    public SearchService Search { get; }

    public LoadRecords Load => _parts.Load;

    public LoadFollower Follower => _parts.Follower;

    public Recount Recount => _parts.Recount;

    public LoadReader Reader { get; }

    public ForecastingApi Api { get; }

    public NoShowTraining Training => _parts.Training;

    public INoShowRisk Risk => _parts.Risk;

    public static async Task<House> OpenAsync(IRecordStore? records = null)
    {
        records ??= new InMemoryRecordStore();
        var clock = new TestClock(Opening);
        return new(records, await StoreKeys.OpenAsync(records, new TestVault(), clock, default), clock);
    }

    public void Dispose()
    {
        _parts.Dispose();
        _keys.Dispose();
    }

    public async Task PutAsync(string json)
    {
        var parsed = ResourceParser.Parse(Encoding.UTF8.GetBytes(json), null);
        Assert.True(parsed.TryGet(out var resource, out var failure), failure?.Issues[0].Diagnostics);
        await WriteAsync(new WriteRequest.Update(new(resource.Type, resource.Id!), resource, IfMatch: null));
    }

    public Task DeleteAsync(string type, string id) => WriteAsync(new WriteRequest.Delete(new(type, id), null));

    /// <summary>Everything from the change log through the follower, as one lane.</summary>
    public async Task FollowAsync()
    {
        var key = EventProgress.KeyOf(LoadFollower.Group.Name, "all");
        while (true)
        {
            var progress = await EventProgress.ReadAsync(Records, key, default);
            var rows = await Records.ReadJournalAsync(progress.Sequence, 50, default);
            if (rows.Count == 0)
            {
                return;
            }
            var (write, _) = progress.To(rows[^1].Change.Sequence, 0, 0, Clock.GetUtcNow());
            await Follower.HandleAsync(new("all", [.. rows.Where(row => LoadFollower.Group.Wants(row.Change.Key.Type)).Select(row => new ResourceEvent(row.Change, row.Version))], write), default);
        }
    }

    public async Task RecountAsync()
    {
        while (await Recount.StepAsync(default) != Recount.StepResult.Nothing)
        {
        }
    }

    /// <summary>So many visits at nine on each working day of the weeks before the opening, kept unless told otherwise.</summary>
    public async Task WeeksAsync(int weeks, int each, string room, string practitioner, string status = "fulfilled")
    {
        for (var day = 1; day <= 7 * weeks; day++)
        {
            var date = Opening.AddDays(-day);
            for (var i = 0; i < each && date.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday); i++)
            {
                await PutAsync(LoadSeriesTests.Appointment($"{practitioner.Split('/')[1]}-{room}-{day}-{i}", $"{date:yyyy-MM-dd}T09:00:00Z", room, status, "", practitioner));
            }
        }
    }

    public async Task<Serving.Answer> ForecastAsync(string type, string? id, params (string Name, string Value)[] inputs) =>
        new((await InvokeAsync(ForecastingOperation.Forecast, type, id, AnswerForm.Fhir, inputs)).Value);

    public Task<Outcome<ReadOnlyMemory<byte>>> InvokeAsync(ForecastingOperation operation, string type, string? id, AnswerForm form, params (string Name, string Value)[] inputs) =>
        Api.InvokeAsync(new(operation, type, id)
        {
            Inputs = [.. inputs.Select(input => new OperationInput(input.Name, input.Value, input.Name))],
            Form = form,
            Figures = FiguresReach.All,
            BaseUrl = BaseUrl,
        }, default);

    private sealed class NoReminders : IReminderCount
    {
        public ValueTask<int> SentAsync(string appointment, CancellationToken ct) => new(0);
    }

    private async Task WriteAsync(WriteRequest request)
    {
        var written = await Store.WriteAsync([request], default);
        Assert.True(written.Failure is null, written.Failure?.Issues[0].Diagnostics);
    }
}
