using System.Collections.Immutable;
using System.Text.Json;
using FhirCore.Records;
using FhirStore.Indexing;

namespace FhirStore.Writing;

/// <summary>The stamp of each schedule's slots: whoever keeps slots of a schedule in memory learns from it that they have changed.</summary>
public static class SlotStamps
{
    private const int TokenLength = 16;

    /// <param name="scheduleToken">As <see cref="OperationalFields.ReferenceToken"/> makes it of <c>Schedule/id</c>.</param>
    public static string NameOf(ReadOnlySpan<byte> scheduleToken) => "Slot/" + Convert.ToHexStringLower(scheduleToken[..TokenLength]);

    /// <returns>The schedules whose slots the plan writes: as they will be, and as they were.</returns>
    internal static ImmutableArray<string> Of(WritePlan plan, IReadOnlyList<RecordWrite> written, ResourceIndexer indexer)
    {
        List<string>? names = null;
        for (var i = 0; i < plan.Writes.Count; i++)
        {
            var write = plan.Writes[i];
            if (write.Key.Type != "Slot")
            {
                continue;
            }
            names ??= [];
            Add(names, written[i].Record.Index);
            if (write.Previous is { Deleted: false } previous)
            {
                using var before = JsonDocument.Parse(previous.Json);
                if (write.Resource is not { } resource || ScheduleOf(resource) != ScheduleOf(before.RootElement))
                {
                    Add(names, indexer.Index(write.Key, previous.LastUpdated, before.RootElement));
                }
            }
        }
        return names is null ? [] : [.. names];
    }

    private static void Add(List<string> names, IndexEntries index)
    {
        if (index.First(OperationalFields.SlotScheduleStart) is { IsEmpty: false } value && NameOf(value.Span) is var name && !names.Contains(name))
        {
            names.Add(name);
        }
    }

    private static string? ScheduleOf(JsonElement slot) =>
        slot.TryGetProperty("schedule", out var schedule) && schedule.TryGetProperty("reference", out var reference) ? reference.GetString() : null;
}
