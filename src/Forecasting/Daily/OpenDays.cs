namespace Forecasting.Daily;

/// <summary>Open days one after the other, closed ones left out: what methods learn from.</summary>
/// <param name="Values">Counts, cleaned.</param>
/// <param name="Weekdays">0…6, as <see cref="DayOfWeek"/>.</param>
/// <param name="PerWeek">Open days in a usual week, 1…7.</param>
internal readonly record struct OpenDays(ReadOnlyMemory<double> Values, ReadOnlyMemory<byte> Weekdays, int PerWeek)
{
    public int Count => Values.Length;

    public OpenDays Before(int index, int atMost)
    {
        var from = Math.Max(0, index - atMost);
        return this with { Values = Values[from..index], Weekdays = Weekdays[from..index] };
    }
}
