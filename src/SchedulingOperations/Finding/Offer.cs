using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using FhirCore;

namespace SchedulingOperations.Finding;

/// <summary>A free time of a schedule: a whole slot, or a part of one.</summary>
internal readonly record struct FreeTime(TimeRange Span, string SlotId, JsonElement Slot, bool IsWhole);

/// <summary>A schedule that is looked at, and how much it is wanted.</summary>
internal sealed record Candidate(string Reference, JsonElement Schedule, byte[] Token, int Rank);

/// <summary>A time that is offered: free with every resource that is needed.</summary>
internal sealed record Offer(Candidate First, FreeTime Time, Candidate? Second, ImmutableArray<string> SecondSlots)
{
    /// <summary>Preference first, then time.</summary>
    public OfferCursor Position => new(First.Rank, Time.Span.Start.UtcTicks, Second?.Rank ?? 0, First.Reference, Second?.Reference ?? "");
}

/// <summary>Where a page of offers ended. It names a place in the order, not an offer, so that it holds while others book.</summary>
internal sealed record OfferCursor(int Rank, long Ticks, int SecondRank, string First, string Second) : IComparable<OfferCursor>
{
    public int CompareTo(OfferCursor? other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Rank != other.Rank ? Rank.CompareTo(other.Rank)
            : Ticks != other.Ticks ? Ticks.CompareTo(other.Ticks)
            : SecondRank != other.SecondRank ? SecondRank.CompareTo(other.SecondRank)
            : string.CompareOrdinal(First, other.First) is var byFirst and not 0 ? byFirst
            : string.CompareOrdinal(Second, other.Second);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Rank}~{Ticks}~{SecondRank}~{First}~{Second}");

    public static bool TryParse(string text, [NotNullWhen(true)] out OfferCursor? cursor)
    {
        cursor = null;
        var parts = text.Split('~');
        if (parts.Length == 5
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var rank)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var second))
        {
            cursor = new(rank, ticks, second, parts[3], parts[4]);
        }
        return cursor is not null;
    }
}
