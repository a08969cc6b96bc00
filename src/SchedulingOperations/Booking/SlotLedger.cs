using FhirCore;
using FhirStore.Writing;
using SchedulingOperations.Rules;
using SchedulingOperations.Views;

namespace SchedulingOperations.Booking;

/// <summary>What a plan does to slots: gives them back, takes them, cuts and mends them, and writes each of them once at the end.</summary>
internal sealed class SlotLedger(WritePlan plan, SlotQueries queries, SchedulingOptions options, TimeProvider clock)
{
    /// <summary>Pieces of one slot are looked for this far before the piece that is given back.</summary>
    private static readonly TimeSpan LongestPiece = TimeSpan.FromDays(7);

    private readonly Dictionary<ResourceKey, LedgerSlot?> _slots = [];

    /// <returns>Null where there is no such slot, or the plan deletes it; for a piece that has melted into a larger slot, that slot.</returns>
    public async ValueTask<LedgerSlot?> FindAsync(ResourceKey key, CancellationToken ct)
    {
        if (_slots.TryGetValue(key, out var slot))
        {
            while (slot is { AbsorbedBy: { } larger })
            {
                slot = larger;
            }
            return slot;
        }
        var stored = await plan.ReadAsync(key, ct);
        var storedRoot = stored is { Deleted: false } ? stored.Root() : (System.Text.Json.JsonElement?)null;
        var content = plan.Find(key) is { } planned ? planned.Resource : storedRoot;
        slot = content is { } root && new SlotView(root).TryGetSpan(out var span)
            ? new(key, root, span, storedRoot is { } before ? SlotStates.Read(before) : null)
            : null;
        _slots.Add(key, slot);
        return slot;
    }

    /// <summary>Makes slots free that an appointment of this plan held until now, and mends the pieces of a cut slot.</summary>
    /// <param name="asItIs">A slot that will be taken at once and so must keep its id and size.</param>
    public async ValueTask GiveBackAsync(ResourceKey appointment, IEnumerable<ResourceKey> slots, ResourceKey? asItIs, CancellationToken ct)
    {
        foreach (var key in slots)
        {
            if (await FindAsync(key, ct) is { } slot && slot.Status.IsGivenBack() && !slot.IsTaken && !await IsHeldByAnotherAsync(key, appointment, ct))
            {
                slot.Status = SlotStatus.Free;
                if (key != asItIs)
                {
                    await MendAsync(slot, ct);
                }
            }
        }
    }

    /// <summary>Takes the wanted time out of slots that are free (<see cref="FindAsync"/> and <see cref="IsFree"/> have said so).</summary>
    /// <returns>Null where the slots do fit the time.</returns>
    public FhirFailure? Take(IReadOnlyList<LedgerSlot> slots, TimeRange wanted, string startText, string endText, SlotStatus becomes)
    {
        var spans = new SlotSpan[slots.Count];
        for (var i = 0; i < spans.Length; i++)
        {
            spans[i] = new(slots[i].Key.Id, slots[i].Schedule, slots[i].Span, slots.Count > 1 ? ServiceMatch.KeyOf(slots[i].Content) : "");
        }
        if (SlotCover.Check(spans, wanted, options.StrictSlotMatch) is { } mismatch)
        {
            return mismatch;
        }
        foreach (var slot in slots)
        {
            var (before, taken, after) = SlotCover.Split(slot.Span, wanted);
            if (before is not null || after is not null)
            {
                slot.PieceOf ??= slot.Key.ToString();
            }
            if (before is { } head)
            {
                Piece(slot, head, slot.StartText, startText);
            }
            if (after is { } tail)
            {
                Piece(slot, tail, endText, slot.EndText);
            }
            slot.Resize(taken, before is null ? slot.StartText : startText, after is null ? slot.EndText : endText);
            slot.Status = becomes;
            slot.IsTaken = true;
        }
        return null;
    }

    /// <summary>Free for an appointment of this plan: free before it, or free now because the plan gave it back or made it.</summary>
    /// <remarks>A client may set the slot to busy itself in the transaction that books it.</remarks>
    public static bool IsFree(LedgerSlot slot) =>
        !slot.IsTaken && (slot.Status == SlotStatus.Free || slot.Status.IsGivenBack() && slot.Stored is null or SlotStatus.Free);

    /// <summary>Slots of the schedule that this plan has made free; no query can know of them.</summary>
    public List<ResourceKey> GivenBack(byte[] scheduleToken)
    {
        var keys = new List<ResourceKey>();
        foreach (var slot in _slots.Values)
        {
            if (slot is { IsAbsorbed: false } && IsFree(slot) && queries.ScheduleToken(slot.Schedule).AsSpan().SequenceEqual(scheduleToken))
            {
                keys.Add(slot.Key);
            }
        }
        return keys;
    }

    /// <summary>Writes every slot that has changed.</summary>
    public async ValueTask WriteAsync(CancellationToken ct)
    {
        foreach (var slot in _slots.Values)
        {
            if (slot is null || !slot.HasChanged && !slot.IsAbsorbed)
            {
                continue;
            }
            if (slot.IsAbsorbed)
            {
                if (!slot.IsNew)
                {
                    (await plan.AddAsync(slot.Key, null, "slot-merge", ct)).Vouched = true;
                }
                continue;
            }
            if (plan.Find(slot.Key) is { } planned)
            {
                planned.Replace(slot.ToJson());
                planned.Vouched = true;
                continue;
            }
            var cause = slot.IsNew ? "slot-split" : slot.Status == SlotStatus.Free ? "slot-release" : "slot-take";
            (await plan.AddAsync(slot.Key, slot.ToJson(), cause, ct)).Vouched = true;
        }
    }

    private void Piece(LedgerSlot source, TimeRange span, string startText, string endText)
    {
        var piece = Reusable(source.PieceOf!, span);
        if (piece is null)
        {
            var key = new ResourceKey("Slot", FhirIds.New(clock));
            piece = source.CopyAs(key);
            _slots.Add(key, piece);
        }
        piece.AbsorbedBy = null;
        piece.PieceOf = source.PieceOf;
        piece.Status = SlotStatus.Free;
        piece.Resize(span, startText, endText);
    }

    /// <summary>A piece that this plan has just melted in comes back under its old id: clients may know it.</summary>
    private LedgerSlot? Reusable(string pieceOf, TimeRange span)
    {
        LedgerSlot? any = null;
        foreach (var slot in _slots.Values)
        {
            if (slot is { IsAbsorbed: true } && slot.PieceOf == pieceOf)
            {
                if (slot.Span.Start == span.Start || slot.Span.End == span.End)
                {
                    return slot;
                }
                any = slot;
            }
        }
        return any;
    }

    private async ValueTask MendAsync(LedgerSlot slot, CancellationToken ct)
    {
        if (slot.PieceOf is not { } whole)
        {
            return;
        }
        while (await NeighbourAsync(slot, whole, ct) is { } neighbour)
        {
            // The id of the slot that was cut first survives; else that of the piece just given back.
            var (stays, goes) = neighbour.Key.ToString() == whole ? (neighbour, slot) : (slot, neighbour);
            var isAfter = goes.Span.Start == stays.Span.End;
            stays.Resize(
                isAfter ? new(stays.Span.Start, goes.Span.End) : new(goes.Span.Start, stays.Span.End),
                isAfter ? stays.StartText : goes.StartText,
                isAfter ? goes.EndText : stays.EndText);
            goes.AbsorbedBy = stays;
            slot = stays;
        }
    }

    private async ValueTask<LedgerSlot?> NeighbourAsync(LedgerSlot slot, string whole, CancellationToken ct)
    {
        foreach (var candidate in _slots.Values)
        {
            if (candidate is not null && IsNeighbour(candidate))
            {
                return candidate;
            }
        }
        foreach (var stored in await queries.FreeNeighboursAsync(slot.Schedule, slot.Span, LongestPiece, ct))
        {
            if (!_slots.ContainsKey(stored.Key) && await FindAsync(stored.Key, ct) is { } candidate && IsNeighbour(candidate))
            {
                return candidate;
            }
        }
        return null;

        bool IsNeighbour(LedgerSlot other) => other != slot && !other.IsAbsorbed && !other.IsTaken && other.Status == SlotStatus.Free
            && other.Schedule == slot.Schedule && other.PieceOf == whole && (other.Span.Start == slot.Span.End || other.Span.End == slot.Span.Start);
    }

    private async ValueTask<bool> IsHeldByAnotherAsync(ResourceKey slot, ResourceKey appointment, CancellationToken ct)
    {
        foreach (var holder in await queries.HoldersOfAsync(slot, ct))
        {
            if (holder.Key != appointment && (plan.Find(holder.Key) is not { } planned || planned.Resource is { } resource && new AppointmentView(resource).Status.HoldsTime()))
            {
                return true;
            }
        }
        return false;
    }
}
