using System.Globalization;
using FhirCore;
using FhirCore.Records;
using FhirStore;
using FhirStore.Indexing;
using Forecasting.Series;
using Forecasting.Serving;
using NodaTime;
using NodaTime.Extensions;

namespace Forecasting.NoShow;

/// <summary>A stretch of slots without a longer break: a morning, an afternoon.</summary>
/// <param name="Slots">Free and taken.</param>
/// <param name="Booked">Appointments in it.</param>
/// <param name="ComingMean">Of them as many are expected to come.</param>
/// <param name="OverflowChance">That more come than there are slots, as things stand.</param>
/// <param name="MayBook">So many more may be booked under the limit, free slots among them.</param>
internal sealed record SessionAdvice(DateTimeOffset Start, DateTimeOffset End, int Slots, int Free, int Booked, double ComingMean, double OverflowChance, int MayBook)
{
    /// <summary>Beyond the free slots.</summary>
    public int Overbook => Math.Max(0, MayBook - Free);
}

/// <param name="Days">From the first on.</param>
/// <param name="Limit">On the chance that more come than there are slots.</param>
internal sealed record OverbookingQuestion(DateOnly? First, int Days, double Limit)
{
    private static readonly string[] Inputs = ["date", "days", "limit"];

    public static Outcome<OverbookingQuestion> Read(IReadOnlyList<OperationInput> inputs, NoShowOptions options)
    {
        var read = new InputReader("$overbooking", inputs, Inputs);
        var question = new OverbookingQuestion(read.Date("date"), read.Number("days", 7, 1, 31, ""), read.Share("limit", options.OverflowChance, 0.001, 0.5));
        return read.Failure is { } failure ? failure : question;
    }
}

/// <summary><c>$overbooking</c>: how many patients more each session of a schedule can take, some of those booked being likely not to come.</summary>
internal sealed class OverbookingAnswers(LoadDirectory directory, ResourceStore store, OperationalFields fields, NoShowRisk risk, LoadOptions load, TimeProvider clock)
{
    private const int MostSlots = 2_000;
    private static readonly TimeSpan LongestBreak = TimeSpan.FromMinutes(20);

    public async Task<IReadOnlyList<SessionAdvice>> RunAsync(LoadSubject subject, OverbookingQuestion question, CancellationToken ct)
    {
        var first = question.First ?? clock.GetUtcNow().ToInstant().InZone(subject.Zone).Date.PlusDays(1).ToDateOnly();
        var (from, to) = (SlotBook.Midnight(first, subject.Zone), SlotBook.Midnight(first.AddDays(question.Days), subject.Zone));
        var slots = await SlotsAsync(subject.Schedules[0], from, to, ct);
        var booked = await BookedAsync(subject.Schedules[0], from, to, ct);
        var sessions = new List<SessionAdvice>();
        for (var i = 0; i < slots.Count;)
        {
            var (start, end, free, count) = (slots[i].Start, slots[i].End, 0, 0);
            for (; i < slots.Count && slots[i].Start - end <= LongestBreak; i++, count++)
            {
                end = slots[i].End > end ? slots[i].End : end;
                free += slots[i].IsFree ? 1 : 0;
            }
            var chances = booked.Where(one => one.Start >= start && one.Start < end).Select(one => one.Coming).ToArray();
            var distribution = PoissonBinomial.Distribution(chances);
            sessions.Add(new(start, end, count, free, chances.Length, chances.Sum(), PoissonBinomial.Above(distribution, count), PoissonBinomial.MayAdd(chances, count, question.Limit)));
        }
        return sessions;
    }

    private async ValueTask<List<(DateTimeOffset Start, DateTimeOffset End, bool IsFree)>> SlotsAsync(ResourceKey schedule, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        var token = fields.ReferenceToken(schedule.ToString());
        var where = new Predicate.Between(OperationalFields.SlotScheduleStart, (byte[])[.. token, .. SortableTime.Encode(from)], (byte[])[.. token, .. SortableTime.Encode(to)]);
        var page = await store.QueryAsync(new("Slot", where, new(OperationalFields.SlotScheduleStart, false), null, MostSlots), ct);
        var slots = new List<(DateTimeOffset, DateTimeOffset, bool)>();
        foreach (var slot in page.Resources)
        {
            var root = System.Text.Json.JsonElement.Parse(slot.Json.Span);
            if (root.Text("status") is "free" or "busy" or "busy-tentative" && root.Instant("start") is { } start && root.Instant("end") is { } end)
            {
                slots.Add((start, end, root.Text("status") == "free"));
            }
        }
        return slots;
    }

    private async ValueTask<List<(DateTimeOffset Start, double Coming)>> BookedAsync(ResourceKey schedule, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        var booked = new List<(DateTimeOffset, double)>();
        if (await directory.ReadAsync(schedule, ct) is not { } entry || ActorOf(entry) is not { } actor)
        {
            return booked;
        }
        var found = await directory.SearchAsync("Appointment",
        [
            new("actor", actor.ToString()), new("date", $"ge{Utc(from)}"), new("date", $"lt{Utc(to)}"), new("status", "booked,pending,arrived,checked-in"),
        ], null, ct);
        foreach (var appointment in found)
        {
            if (appointment.Root.Instant("start") is { } start)
            {
                booked.Add((start, 1 - ((await risk.AnswerAsync(appointment.Resource, ct))?.Chance ?? 0))); // of whom nothing is known is taken to come
            }
        }
        return booked;
    }

    /// <summary>By whom a schedule's appointments are found.</summary>
    internal ResourceKey? ActorOf(Entry schedule)
    {
        foreach (var type in (string[])["Practitioner", "PractitionerRole", "Location", "HealthcareService"])
        {
            if (DirectoryFacts.Actors(schedule.Root, type, load.BaseUrl).FirstOrDefault() is { Type: not null } actor)
            {
                return actor;
            }
        }
        return null;
    }

    private static string Utc(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
