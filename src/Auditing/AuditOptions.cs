using System.ComponentModel.DataAnnotations;

namespace Auditing;

/// <summary>What is on disk before a request is answered.</summary>
public enum AuditDurability
{
    /// <summary>The event of whatever may have changed something. Events of reads follow within <see cref="AuditOptions.FlushAfter"/>.</summary>
    Writes,
    /// <summary>The event of every request.</summary>
    Always,
}

/// <summary>Section <c>Audit</c>.</summary>
public sealed class AuditOptions
{
    /// <summary>False records nothing: for measuring what the trail costs, not for a clinic. A start without it says so.</summary>
    public bool Enabled { get; set; } = true;

    public AuditDurability Durability { get; set; }

    /// <summary>Longest time that the event of a read waits for others before it is stored; what kill -9 can lose.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:05")]
    public TimeSpan FlushAfter { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long events may fail to be stored before requests are refused, and how long an answer waits for its event.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00")]
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Events that wait to be stored; when there are more, requests are refused.</summary>
    [Range(100, 1_000_000)]
    public int MaxWaiting { get; set; } = 50_000;

    /// <summary>How often a process writes down how far the chains of the others have come.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan LinkEvery { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long events are kept.</summary>
    [Range(1, 100)]
    public int RetentionYears { get; set; } = 6;
}
