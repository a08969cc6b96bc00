using System.Text;
using FhirCore;
using FhirCore.Events;
using FhirCore.Records;

namespace FhirStore.Events;

/// <summary>An event set aside: which version of which resource, by whom and why; no content. Whoever mends the cause reads the version again.</summary>
public static class DeadEventRecord
{
    public const string RecordType = "_DeadEvent";

    /// <summary>One event of a group is set aside once: its record is new.</summary>
    public static RecordWrite Write(DeadEvent dead, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(dead);
        ArgumentNullException.ThrowIfNull(clock);
        var now = clock.GetUtcNow();
        var record = new StoredRecord
        {
            Key = new ResourceKey(RecordType, FormattableString.Invariant($"{dead.Group}.{dead.Event.Change.Sequence}")),
            Version = 1,
            LastUpdated = now.AddTicks(-(now.UtcTicks % TimeSpan.TicksPerMillisecond)).ToUniversalTime(),
            Partition = dead.Group,
            Body = Encoding.ASCII.GetBytes($"{dead.Event.Id} {dead.Why}"),
        };
        return new(record, 0, Journal: false, "set-aside");
    }
}
