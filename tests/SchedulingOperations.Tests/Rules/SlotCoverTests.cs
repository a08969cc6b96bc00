using CsCheck;
using FhirCore;
using SchedulingOperations.Rules;

namespace SchedulingOperations.Tests.Rules;

/// <summary>Quarter hours of one day are the oracle: sets of cells know nothing of ranges, so a bug there cannot hide itself.</summary>
public sealed class SlotCoverTests
{
    private const int Cells = 40;
    private static readonly DateTimeOffset Day = new(2030, 3, 4, 8, 0, 0, TimeSpan.Zero);

    private static readonly Gen<(int Start, int Length)> AnySpan = Gen.Select(Gen.Int[0, Cells - 8], Gen.Int[1, 8]);

    private static readonly Gen<SlotSpan[]> AnySlots =
        Gen.Select(AnySpan, Gen.Int[0, 1], Gen.Int[0, 9]).Array[0, 7].Select(slots =>
            slots.Select((slot, i) => new SlotSpan($"s{i}", $"Schedule/{slot.Item2}", Range(slot.Item1), slot.Item3 == 0 ? "other" : "")).ToArray());

    /// <summary>A row of slots of one schedule, mostly without gaps, and a time that mostly lies within it: what is allowed must come up often.</summary>
    private static readonly Gen<(SlotSpan[] Slots, (int Start, int Length) Wanted)> AnyRow =
        Gen.Select(Gen.Select(Gen.Int[1, 4], Gen.Int[-1, 8], Gen.Int[0, 11]).Array[1, 5], Gen.Int[0, 6], Gen.Int[1, 16]).Select((pieces, from, length) =>
        {
            var (at, slots) = (2, new List<SlotSpan>());
            foreach (var (size, gap, service) in pieces)
            {
                at += slots.Count == 0 ? 0 : gap == -1 ? -1 : gap == 8 ? 1 : 0;
                slots.Add(new($"s{slots.Count}", "Schedule/0", Range((Math.Max(at, 0), size)), service == 0 ? "other" : ""));
                at = Math.Max(at, 0) + size;
            }
            return (slots.AsEnumerable().Reverse().ToArray(), (from, length));
        });

    [Fact]
    public void Check_AnyRow_AgreesWithCells()
    {
        var (fitting, refused) = (0, 0);
        AnyRow.Sample((slots, wanted) =>
        {
            var all = slots.SelectMany(s => CellsOf(s.Span)).ToList();
            var cells = CellsOf(Range(wanted));
            var isContiguous = all.Distinct().Count() == all.Count && all.Max() - all.Min() + 1 == all.Count;
            var isUseful = slots.Length == 1 || slots.All(s => CellsOf(s.Span).Intersect(cells).Any());
            var fits = isContiguous && isUseful && cells.All(all.Contains) && slots.Select(s => s.Service).Distinct().Count() == 1;
            Interlocked.Increment(ref fits ? ref fitting : ref refused);
            return fits == SlotCover.Check(slots, Range(wanted), strict: false) is null;
        }, iter: 10_000);
        Assert.True(fitting > 50 && refused > 50, $"{fitting} fitting, {refused} refused");
    }

    [Fact]
    public void Check_TwoSchedules_EachCoversTheWholeTime() => Gen.Select(AnyRow, AnyRow).Sample((one, other) =>
    {
        SlotSpan[] both = [.. one.Slots, .. other.Slots.Select(s => s with { Id = "o" + s.Id, Schedule = "Schedule/1" })];
        var fits = SlotCover.Check(one.Slots, Range(one.Wanted), strict: false) is null
            && SlotCover.Check(other.Slots, Range(one.Wanted), strict: false) is null;
        return fits == SlotCover.Check(both, Range(one.Wanted), strict: false) is null;
    }, iter: 2000);

    [Fact]
    public void Check_Strict_WantsTheExactCells() => Gen.Select(AnySpan, AnySpan).Sample((slot, wanted) =>
        (SlotCover.Check([new("s", "Schedule/1", Range(slot), "")], Range(wanted), strict: true) is null) == CellsOf(Range(slot)).SequenceEqual(CellsOf(Range(wanted))));

    [Fact]
    public void Split_AnyOverlap_LosesAndDoublesNoCell() => Gen.Select(AnySpan, AnySpan).Where((a, b) => CellsOf(Range(a)).Intersect(CellsOf(Range(b))).Any()).Sample((slot, wanted) =>
    {
        var (before, taken, after) = SlotCover.Split(Range(slot), Range(wanted));
        List<int> parts = [.. before is { } b ? CellsOf(b) : [], .. CellsOf(taken), .. after is { } a ? CellsOf(a) : []];
        return parts.SequenceEqual(CellsOf(Range(slot))) && CellsOf(taken).SequenceEqual(CellsOf(Range(slot)).Intersect(CellsOf(Range(wanted))));
    });

    [Fact]
    public void Choose_AnyFreeSlots_FindsACoverExactlyWhereThereIsOne() => Gen.Select(AnySlots, AnySpan).Sample((slots, wanted) =>
    {
        var free = slots.Select(s => s with { Schedule = "Schedule/0", Service = "" }).OrderBy(s => s.Span.Start).ToList();
        var chosen = SlotCover.Choose(free, Range(wanted)).Select(i => free[i]).ToList();
        var cells = CellsOf(Range(wanted));
        if (chosen.Count == 0)
        {
            return !Chains(free, cells[0], cells[^1]);
        }
        return SlotCover.Check([.. chosen], Range(wanted), strict: false) is null && (chosen.Count == 1 || !free.Exists(s => cells.All(CellsOf(s.Span).Contains)));
    });

    /// <summary>Two slots begin where the first ends; the shorter of them leads nowhere.</summary>
    [Fact]
    public void Choose_TwoWaysOnOneDeadEnd_TakesTheOneThatArrives()
    {
        SlotSpan[] free = [Slot("first", 5, 5), Slot("dead-end", 10, 4), Slot("arrives", 10, 6)];
        Assert.Equal([0, 2], SlotCover.Choose(free, Range((9, 7))));
    }

    [Fact]
    public void Choose_TwoChains_TakesTheShorter()
    {
        SlotSpan[] free = [Slot("first", 0, 2), Slot("short", 2, 1), Slot("long", 2, 6), Slot("short", 3, 5)];
        Assert.Equal([0, 2], SlotCover.Choose(free, Range((0, 8))));
    }

    [Fact]
    public void Check_SameSlotTwice_IsRefused()
    {
        var slot = new SlotSpan("s", "Schedule/1", Range((0, 4)), "");
        Assert.NotNull(SlotCover.Check([slot, slot], Range((0, 4)), strict: false));
    }

    /// <summary>Searches all ways: a chain from a slot that holds the first cell to one that holds the last, each beginning where the one before ends.</summary>
    private static bool Chains(List<SlotSpan> free, int first, int last)
    {
        bool From(SlotSpan slot) => CellsOf(slot.Span)[^1] >= last || free.Exists(next => CellsOf(next.Span)[0] == CellsOf(slot.Span)[^1] + 1 && From(next));
        return free.Exists(slot => CellsOf(slot.Span).Contains(first) && From(slot));
    }

    private static SlotSpan Slot(string id, int start, int length) => new(id, "Schedule/0", Range((start, length)), "");

    private static TimeRange Range((int Start, int Length) span) => new(Day.AddMinutes(15 * span.Start), Day.AddMinutes(15 * (span.Start + span.Length)));

    private static List<int> CellsOf(TimeRange range) => [.. Enumerable.Range(0, Cells + 20).Where(cell => range.Contains(Day.AddMinutes(15 * cell + 7)))];
}
