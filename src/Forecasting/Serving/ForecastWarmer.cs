using FhirCore;
using Forecasting.Series;

namespace Forecasting.Serving;

/// <summary>How far the forecasts of the day are made.</summary>
/// <param name="Done">Forecasts looked at in this round.</param>
/// <param name="Total">Of the round; of the last one where none is under way.</param>
/// <param name="Finished">When the last whole round ended; null before the first.</param>
public sealed record WarmProgress(int Done, int Total, DateTimeOffset? Finished);

/// <summary>
/// Makes the forecasts that will be asked for before they are: of every subject, each measure, once an hour. What is made already costs a
/// look, so a round that was cut off goes on where it was.
/// </summary>
internal sealed class ForecastWarmer(LoadDirectory directory, SubjectReader subjects, ForecastBook book, LoadReader reader, TimeProvider clock)
{
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Round = TimeSpan.FromHours(1);

    public WarmProgress Progress { get; private set; } = new(0, 0, null);

    /// <param name="isBehind">Events wait to be counted: what is made now would be made again.</param>
    public async Task RunAsync(Func<CancellationToken, ValueTask<bool>> isBehind, CancellationToken ct)
    {
        while (true)
        {
            await Task.Delay(Settle, clock, ct);
            if (await isBehind(ct) || !await reader.AnyAsync(ct))
            {
                continue;
            }
            await RoundAsync(ct);
            await Task.Delay(Round, clock, ct);
        }
    }

    internal async Task RoundAsync(CancellationToken ct)
    {
        var keys = new List<ResourceKey>();
        foreach (var type in SubjectReader.Types)
        {
            keys.AddRange((await directory.SearchAsync(type, null, null, null, ct)).Select(entry => entry.Key));
        }
        var measures = Enum.GetValues<LoadMeasure>();
        Progress = Progress with { Done = 0, Total = keys.Count * measures.Length };
        foreach (var key in keys)
        {
            var began = clock.GetTimestamp();
            if (await directory.ReadAsync(key, ct) is { } entry)
            {
                var subject = await subjects.ReadAsync(entry, ct);
                foreach (var measure in measures)
                {
                    await book.GetAsync(subject, measure, ct);
                    Progress = Progress with { Done = Progress.Done + 1 };
                }
            }
            await Task.Delay(clock.GetElapsedTime(began), clock, ct); // as much time for others as was taken
        }
        Progress = Progress with { Finished = clock.GetUtcNow() };
    }
}
