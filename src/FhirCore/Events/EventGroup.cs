using System.Collections.Immutable;

namespace FhirCore.Events;

/// <summary>Where a group begins that has no progress yet.</summary>
public enum EventStart
{
    /// <summary>With the first event there is.</summary>
    Beginning,
    /// <summary>With what happens from now on.</summary>
    Now,
}

/// <summary>Followers that share one progress: every event is handled by one of them.</summary>
/// <param name="Name">Lower-case letters, digits and '-', 1 to 40 characters; kept for as long as its progress matters.</param>
/// <param name="Types">Resource types it wants to hear of; empty for all.</param>
public sealed record EventGroup(string Name, ImmutableSortedSet<string> Types)
{
    private const int LongestName = 40;
    private const int LargestBatch = 1_000;

    public EventStart Start { get; init; } = EventStart.Beginning;

    /// <summary>Most events of a batch, 1 to 1,000.</summary>
    public int MostEvents { get; init; } = 256;

    public bool Wants(string type) => Types.IsEmpty || Types.Contains(type);

    /// <summary>For logs: a name or size that breaks the rules above is a mistake of the program.</summary>
    /// <exception cref="ArgumentException">It does.</exception>
    public void ThrowIfWrong()
    {
        if (Name.Length is 0 or > LongestName || Name.Any(c => c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-')))
        {
            throw new ArgumentException($"'{Name}' is no name of an event group.");
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(MostEvents, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MostEvents, LargestBatch);
    }
}
