using System.Text.Json;

namespace SchedulingOperations.Views;

/// <summary>Reads a Schedule where it lies.</summary>
public readonly struct ScheduleView(JsonElement root)
{
    public JsonElement Root { get; } = root;

    /// <summary>A schedule that does not say otherwise is active.</summary>
    public bool IsActive => !Root.TryGetProperty("active"u8, out var active) || active.ValueKind != JsonValueKind.False;

    public ElementList Actors => new(Root, "actor"u8);

    /// <summary>False for a time that the schedule's planning horizon leaves out.</summary>
    public bool IsPlanned(FhirCore.TimeRange span) =>
        !Root.TryGetProperty("planningHorizon"u8, out var horizon)
        || (!InstantText.TryRead(horizon, "start"u8, out var start) || span.Start >= start)
        && (!InstantText.TryRead(horizon, "end"u8, out var end) || span.End <= end);
}

/// <summary>The items of a list element; none where it is missing.</summary>
public readonly struct ElementList
{
    private readonly JsonElement _list;

    public ElementList(JsonElement parent, ReadOnlySpan<byte> name) =>
        _list = parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list : default;

    public int Count => _list.ValueKind == JsonValueKind.Array ? _list.GetArrayLength() : 0;

    public JsonElement.ArrayEnumerator GetEnumerator() => _list.ValueKind == JsonValueKind.Array ? _list.EnumerateArray() : default;
}
