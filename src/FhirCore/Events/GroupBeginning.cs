using FhirCore.Records;

namespace FhirCore.Events;

/// <summary>Where a group begins that begins now: written down before it follows, so that it loses nothing if it dies before its first event.</summary>
public static class GroupBeginning
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>Waits until the store is there. Of several members the first says when "now" is.</summary>
    public static async Task WriteAsync(IRecordStore records, EventGroup group, IEventObserver? observer, TimeProvider clock, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(group);
        var key = EventProgress.KeyOf(group.Name, EventProgress.AllLanes);
        while (group.Start == EventStart.Now)
        {
            try
            {
                var progress = await EventProgress.ReadAsync(records, key, ct).ConfigureAwait(false);
                if (progress.Version > 0)
                {
                    return;
                }
                var (write, _) = progress.To(await records.SettledEndAsync(clock, ct).ConfigureAwait(false), 0, 0, clock.GetUtcNow());
                await records.CommitAsync(Commit.Of(write), ct).ConfigureAwait(false);
            }
            catch (StoreUnavailableException away)
            {
                observer?.Failed(group.Name, EventProgress.AllLanes, away);
                await Task.Delay(AskAgain, clock, ct).ConfigureAwait(false);
            }
        }
    }
}
