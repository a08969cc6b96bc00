using System.Text.Json;
using FhirCore;
using SchedulingOperations.Rules;

namespace SchedulingOperations.Views;

/// <summary>Reads a Slot where it lies, without making a model of it.</summary>
public readonly struct SlotView(JsonElement root)
{
    /// <summary>Marks the pieces of one slot that was cut, so that they find together again. valueReference: the slot they were once.</summary>
    public const string PieceOfUrl = "urn:fhir-server:slot-piece-of";

    public JsonElement Root { get; } = root;

    public SlotStatus Status => SlotStates.Read(Root);

    public string? StartText => Root.TryGetProperty("start"u8, out var text) ? text.GetString() : null;

    public string? EndText => Root.TryGetProperty("end"u8, out var text) ? text.GetString() : null;

    /// <summary><c>Schedule/id</c> as it stands in the slot.</summary>
    public string? Schedule => Root.TryGetProperty("schedule"u8, out var schedule) ? References.Text(schedule) : null;

    /// <summary>The slot that this one is a piece of; null where it was never cut.</summary>
    public string? PieceOf => Extensions.Find(Root, PieceOfUrl) is { } extension && extension.TryGetProperty("valueReference"u8, out var reference) ? References.Text(reference) : null;

    /// <returns><see langword="false"/> where the slot ends before it begins.</returns>
    public bool TryGetSpan(out TimeRange span)
    {
        span = default;
        if (!InstantText.TryRead(Root, "start"u8, out var start) || !InstantText.TryRead(Root, "end"u8, out var end) || end <= start)
        {
            return false;
        }
        span = new(start, end);
        return true;
    }
}
