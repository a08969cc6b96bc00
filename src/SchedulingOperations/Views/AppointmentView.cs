using System.Text.Json;
using FhirCore;
using FhirStore.Indexing;
using SchedulingOperations.Rules;

namespace SchedulingOperations.Views;

/// <summary>Reads an Appointment where it lies, without making a model of it.</summary>
public readonly struct AppointmentView(JsonElement root)
{
    public JsonElement Root { get; } = root;

    public AppointmentStatus Status => AppointmentStates.Read(Root);

    public string? Id => Root.TryGetProperty("id"u8, out var id) ? id.GetString() : null;

    public bool HasStart => Root.TryGetProperty("start"u8, out _);

    public bool HasEnd => Root.TryGetProperty("end"u8, out _);

    public string? StartText => Root.TryGetProperty("start"u8, out var text) ? text.GetString() : null;

    public string? EndText => Root.TryGetProperty("end"u8, out var text) ? text.GetString() : null;

    public ElementList Participants => new(Root, "participant"u8);

    public int SlotCount => new ElementList(Root, "slot"u8).Count;

    /// <summary>When its hold ends; null where it is no hold.</summary>
    public DateTimeOffset? HoldUntil =>
        Extensions.Find(Root, OperationalFields.HoldUntilUrl) is { } extension && InstantText.TryRead(extension, "valueDateTime"u8, out var until) ? until : null;

    /// <returns><see langword="false"/> where a time is missing or it does not end after it starts.</returns>
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

    /// <summary>References of its slots as they stand there; null for one without a reference.</summary>
    public IEnumerable<string?> Slots
    {
        get
        {
            foreach (var slot in new ElementList(Root, "slot"u8))
            {
                yield return References.Text(slot);
            }
        }
    }

    /// <summary>References of the actors of one type, or of all where <paramref name="type"/> is null.</summary>
    public IEnumerable<string> Actors(string? type = null)
    {
        foreach (var participant in Participants)
        {
            if (participant.TryGetProperty("actor"u8, out var actor) && References.Text(actor) is { } reference
                && (type is null || reference.StartsWith(type, StringComparison.Ordinal) && reference.Length > type.Length && reference[type.Length] == '/'))
            {
                yield return reference;
            }
        }
    }

    /// <summary>Every participation of the actor is declined.</summary>
    public bool HasDeclined(string actor)
    {
        var hasDeclined = false;
        foreach (var participant in Participants)
        {
            if (participant.TryGetProperty("actor"u8, out var found) && References.Text(found) == actor)
            {
                if (!participant.TryGetProperty("status"u8, out var status) || !status.ValueEquals("declined"u8))
                {
                    return false;
                }
                hasDeclined = true;
            }
        }
        return hasDeclined;
    }
}
