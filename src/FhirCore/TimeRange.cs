namespace FhirCore;

/// <summary>Includes <see cref="Start"/>, excludes <see cref="End"/>, so back-to-back visits do not overlap. Instants are UTC.</summary>
public readonly record struct TimeRange
{
    /// <exception cref="ArgumentException"><paramref name="end"/> is not after <paramref name="start"/>.</exception>
    public TimeRange(DateTimeOffset start, DateTimeOffset end)
    {
        if (end <= start)
        {
            throw new ArgumentException("A time range ends after it starts.", nameof(end));
        }
        Start = start.ToUniversalTime();
        End = end.ToUniversalTime();
    }

    public DateTimeOffset Start { get; }

    public DateTimeOffset End { get; }

    public TimeSpan Length => End - Start;

    public bool Overlaps(TimeRange other) => Start < other.End && other.Start < End;

    public bool Contains(TimeRange other) => Start <= other.Start && other.End <= End;

    public bool Contains(DateTimeOffset instant) => Start <= instant && instant < End;
}
