using System.Text.Json;
using FhirCore;
using FhirStore.Access;
using Forecasting.Series;
using Forecasting.Serving;

namespace Forecasting.NoShow;

/// <summary>Somebody who waits for a time.</summary>
/// <param name="Coming">Chance that they come, if they get it; null where nothing can be said.</param>
internal sealed record Waiting(Entry Appointment, int Priority, DateTimeOffset Since, double? Coming);

/// <param name="Start">Of the time that has become free; null where none is in mind.</param>
/// <param name="Count">Most in the answer.</param>
internal sealed record WaitlistQuestion(DateTimeOffset? Start, int Count)
{
    private static readonly string[] Inputs = ["start", "count"];

    public static Outcome<WaitlistQuestion> Read(IReadOnlyList<OperationInput> inputs)
    {
        var read = new InputReader("$waitlist", inputs, Inputs);
        var question = new WaitlistQuestion(read.Instant("start"), read.Number("count", 20, 1, 200, "", "a whole number"));
        return read.Failure is { } failure ? failure : question;
    }
}

/// <summary>
/// <c>$waitlist</c>: who should be asked next. What the clinic has said goes first (priority), then who has waited longer, in whole weeks; only
/// among those does it count who is the more likely to come. docs/decisions/0165-order-of-the-waitlist.md.
/// </summary>
internal sealed class WaitlistAnswers(LoadDirectory directory, OverbookingAnswers schedules, NoShowRisk risk, TimeProvider clock)
{
    private const int Undefined = 10;

    public async Task<IReadOnlyList<Waiting>> RunAsync(Entry schedule, WaitlistQuestion question, ICaller? caller, CancellationToken ct)
    {
        if (schedules.ActorOf(schedule) is not { } actor)
        {
            return [];
        }
        var now = clock.GetUtcNow();
        var waiting = new List<Waiting>();
        foreach (var entry in await directory.SearchAsync("Appointment", [new("actor", actor.ToString()), new("status", "waitlist")], caller, ct))
        {
            if (question.Start is { } start ? !Suits(entry.Root, start) : entry.Root.Instant("start") < now)
            {
                continue;
            }
            var since = VisitReader.MadeOf(entry.Root) ?? entry.Resource.LastUpdated;
            waiting.Add(new(entry, PriorityOf(entry.Root), since, await risk.ChanceAsync(entry.Resource, question.Start ?? now.AddDays(1), ct) is { } chance ? 1 - chance : null));
        }
        return [.. Order(waiting, now).Take(question.Count)];
    }

    internal static IEnumerable<Waiting> Order(IEnumerable<Waiting> waiting, DateTimeOffset now) =>
        waiting.OrderBy(one => one.Priority).ThenByDescending(one => (int)((now - one.Since).TotalDays / 7)).ThenByDescending(one => one.Coming ?? 0)
            .ThenBy(one => one.Since).ThenBy(one => one.Appointment.Key.Id, StringComparer.Ordinal);

    /// <summary>1 is the highest, 9 the lowest, 0 says nothing: https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.priority.</summary>
    private static int PriorityOf(JsonElement appointment) => appointment.Of("priority") is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var priority) && priority > 0 ? priority : Undefined;

    /// <summary>Where somebody has said when they could come, the time lies within it; who has not could come at any time.</summary>
    private static bool Suits(JsonElement appointment, DateTimeOffset start)
    {
        var periods = appointment.Items("requestedPeriod").ToList();
        return periods.Count == 0 || periods.Exists(period => !(period.Instant("start") > start) && !(period.Instant("end") < start));
    }
}
