using System.Collections.Concurrent;

namespace FhirStore.Slots;

/// <summary>Which schedules have been asked for lately, and for which days.</summary>
internal sealed class SlotUse(TimeProvider clock)
{
    private const int MostSchedules = 2_000;
    private const int MostDays = 31;
    private static readonly TimeSpan Lately = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<SlotDayKey, Span> _asked = new();

    public bool IsAny => !_asked.IsEmpty;

    public void Asked(ReadOnlyMemory<byte> schedule, int firstDay, int lastDay)
    {
        var key = SlotDayKey.Of(schedule.Span, 0);
        var now = clock.GetTimestamp();
        if (_asked.TryGetValue(key, out var known))
        {
            if (firstDay >= known.First && lastDay <= known.Last)
            {
                known.At = now;
                return;
            }
            (firstDay, lastDay) = (Math.Min(firstDay, known.First), Math.Max(lastDay, known.Last));
        }
        else if (_asked.Count >= MostSchedules)
        {
            return;
        }
        _asked[key] = new() { First = firstDay, Last = Math.Min(lastDay, firstDay + MostDays - 1), At = now };
    }

    /// <returns>The days asked for; null where nobody has asked lately.</returns>
    public (int First, int Last)? DaysOf(ReadOnlySpan<byte> schedule) =>
        _asked.TryGetValue(SlotDayKey.Of(schedule, 0), out var known) && clock.GetElapsedTime(known.At) < Lately ? (known.First, known.Last) : null;

    public void ForgetOld()
    {
        foreach (var (key, known) in _asked)
        {
            if (clock.GetElapsedTime(known.At) >= Lately)
            {
                _asked.TryRemove(key, out _);
            }
        }
    }

    private sealed class Span
    {
        public required int First;
        public required int Last;
        public long At;
    }
}
