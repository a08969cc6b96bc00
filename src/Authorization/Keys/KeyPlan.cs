namespace Authorization.Keys;

/// <summary>When a signing key is published, signs, and is forgotten. All from the instants the keys themselves carry, so every process comes to the same.</summary>
/// <param name="Period">How long a key signs.</param>
/// <param name="Lead">How long it is published before it signs: longer than anyone keeps an old key set.</param>
/// <param name="Retention">How long it is published after it has signed for the last time: longer than anything it signed lives.</param>
internal sealed record KeyPlan(TimeSpan Period, TimeSpan Lead, TimeSpan Retention)
{
    /// <summary>When the key after the newest one is to sign from.</summary>
    /// <returns>Null while it is too early to make it.</returns>
    public DateTimeOffset? Next(DateTimeOffset newestSignsFrom, DateTimeOffset now)
    {
        var due = newestSignsFrom + Period;
        return now < due - Lead ? null : due > now + Lead ? due : now + Lead;
    }

    /// <summary>The one that signs now: of those that may, the latest.</summary>
    /// <param name="signsFrom">Ascending.</param>
    public static int Current(ReadOnlySpan<DateTimeOffset> signsFrom, DateTimeOffset now)
    {
        for (var i = signsFrom.Length - 1; i > 0; i--)
        {
            if (signsFrom[i] <= now)
            {
                return i;
            }
        }
        return 0; // the first key signs from the beginning, whatever this process' clock says
    }

    /// <param name="successorSignsFrom">Null where there is none.</param>
    public bool IsOver(DateTimeOffset? successorSignsFrom, DateTimeOffset now) => successorSignsFrom + Retention <= now;
}
