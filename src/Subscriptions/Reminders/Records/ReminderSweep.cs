using FhirCore.Records;
using FhirStore.Sealed;

namespace Subscriptions.Reminders.Records;

/// <summary>Removes records of messages whose visits are over, and what is known of addresses that nobody has written to for long.</summary>
public sealed class ReminderSweep(IRecordStore records, TimeProvider clock)
{
    private const int BatchSize = 200;
    private static readonly string[] Types = [ReminderRecords.MessageType, ReminderRecords.PlanType, ReminderRecords.AddressType, ReminderRecords.ReplyType];

    /// <returns>How many went.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var removed = 0;
        foreach (var type in Types)
        {
            RecordCursor? after = null;
            do
            {
                var page = await records.QueryAsync(new(type, EndsField.Before(clock.GetUtcNow()), RecordOrder.ById, after, BatchSize), ct);
                foreach (var record in page.Records)
                {
                    // The version is checked: an address may have been written to meanwhile.
                    removed += await records.CommitAsync(new([], [new RecordCondition.VersionIs(record.Key, record.Version)], [record.Key]), ct) is CommitResult.Done ? 1 : 0;
                }
                after = page.Next;
            }
            while (after is not null);
        }
        return removed;
    }
}
