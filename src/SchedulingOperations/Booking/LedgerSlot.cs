using System.Text.Json;
using System.Text.Json.Nodes;
using FhirCore;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>A slot while a plan is being made: what it was, and what it will be.</summary>
internal sealed class LedgerSlot
{
    private readonly JsonElement _content;
    private readonly (SlotStatus Status, TimeRange Span, string? PieceOf) _loaded;

    public LedgerSlot(ResourceKey key, JsonElement content, TimeRange span, SlotStatus? stored)
    {
        var view = new SlotView(content);
        (Key, _content, Span, Stored) = (key, content, span, stored);
        (Status, Schedule, PieceOf) = (view.Status, view.Schedule ?? "", view.PieceOf);
        (StartText, EndText) = (view.StartText!, view.EndText!);
        _loaded = (Status, Span, PieceOf);
    }

    private LedgerSlot(ResourceKey key, LedgerSlot source)
    {
        (Key, _content, Span, Status) = (key, source._content, source.Span, source.Status);
        (Schedule, PieceOf, StartText, EndText) = (source.Schedule, source.PieceOf, source.StartText, source.EndText);
        IsNew = true;
    }

    public ResourceKey Key { get; }

    public string Schedule { get; }

    public TimeRange Span { get; private set; }

    public string StartText { get; private set; }

    public string EndText { get; private set; }

    public SlotStatus Status { get; set; }

    /// <summary>Status before this plan; null for a slot that the plan itself creates.</summary>
    public SlotStatus? Stored { get; }

    /// <summary><c>Slot/id</c> that this is a piece of.</summary>
    public string? PieceOf { get; set; }

    public bool IsNew { get; private init; }

    /// <summary>The neighbour it has melted into: it will be deleted, or used again for the next piece.</summary>
    public LedgerSlot? AbsorbedBy { get; set; }

    public bool IsAbsorbed => AbsorbedBy is not null;

    /// <summary>Taken by an appointment of this plan: a second one cannot have it.</summary>
    public bool IsTaken { get; set; }

    public JsonElement Content => _content;

    public bool HasChanged => IsNew || Status != _loaded.Status || Span != _loaded.Span || PieceOf != _loaded.PieceOf;

    public void Resize(TimeRange span, string startText, string endText) => (Span, StartText, EndText) = (span, startText, endText);

    /// <summary>A piece of this slot under an id of its own.</summary>
    public LedgerSlot CopyAs(ResourceKey key) => new(key, this);

    public JsonObject ToJson()
    {
        var json = JsonObject.Create(_content)!;
        if (IsNew)
        {
            json.Remove("meta");
            json.Remove("identifier"); // the identifier stays with the slot that was cut
            json.Remove("text");
        }
        json["id"] = Key.Id;
        json["status"] = Status.Code();
        json["start"] = StartText;
        json["end"] = EndText;
        if (PieceOf != _loaded.PieceOf)
        {
            if (PieceOf is null)
            {
                Extensions.Remove(json, SlotView.PieceOfUrl);
            }
            else
            {
                Extensions.Set(json, SlotView.PieceOfUrl, "valueReference", new JsonObject { ["reference"] = PieceOf });
            }
        }
        return json;
    }
}
