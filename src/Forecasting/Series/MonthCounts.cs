using System.Collections.Immutable;

namespace Forecasting.Series;

/// <summary>Visits of one key in one month by day, hour and state, and how long before they were made.</summary>
internal sealed class MonthCounts
{
    private const int Hours = 24;

    private readonly SortedDictionary<(int Day, int Hour, VisitState State), int> _visits = [];
    private readonly SortedDictionary<int, (int Visits, int Days)> _leads = [];

    public IEnumerable<KeyValuePair<(int Day, int Hour, VisitState State), int>> Visits => _visits;

    /// <summary>Visits of a day whose lead time is known, and the sum of these times in days.</summary>
    public IEnumerable<KeyValuePair<int, (int Visits, int Days)>> Leads => _leads;

    public static MonthCounts Of(ImmutableArray<int> visits, ImmutableArray<int> leads)
    {
        var counts = new MonthCounts();
        for (var i = 0; i + 2 < visits.Length; i += 3)
        {
            counts._visits[(visits[i] / Hours, visits[i] % Hours, (VisitState)visits[i + 1])] = visits[i + 2];
        }
        for (var i = 0; i + 2 < leads.Length; i += 3)
        {
            counts._leads[leads[i]] = (leads[i + 1], leads[i + 2]);
        }
        return counts;
    }

    /// <param name="sign">1 adds the visit, -1 takes it back.</param>
    public void Add(int dayOfMonth, int hour, VisitState state, int? leadDays, int sign)
    {
        var cell = (dayOfMonth, hour, state);
        var count = _visits.GetValueOrDefault(cell) + sign;
        if (count == 0)
        {
            _visits.Remove(cell);
        }
        else
        {
            _visits[cell] = count;
        }
        if (leadDays is { } days)
        {
            var (visits, sum) = _leads.GetValueOrDefault(dayOfMonth);
            if ((visits + sign, sum + (sign * days)) is var left && left is (0, 0))
            {
                _leads.Remove(dayOfMonth);
            }
            else
            {
                _leads[dayOfMonth] = left;
            }
        }
    }

    /// <summary>Three numbers a cell: day × 24 + hour, state, visits.</summary>
    public ImmutableArray<int> ToVisits() => [.. _visits.SelectMany(cell => new[] { (cell.Key.Day * Hours) + cell.Key.Hour, (int)cell.Key.State, cell.Value })];

    /// <summary>Three numbers a day: day of the month, visits, sum of days.</summary>
    public ImmutableArray<int> ToLeads() => [.. _leads.SelectMany(day => new[] { day.Key, day.Value.Visits, day.Value.Days })];
}
