using FhirCore;

namespace SchedulingOperations.Booking;

/// <summary>Where an appointment is to stand: in named slots, somewhere in schedules, or wherever its actors have free time.</summary>
internal abstract record SlotWish
{
    private SlotWish()
    {
    }

    public sealed record Named(IReadOnlyList<ResourceKey> Slots) : SlotWish;

    /// <param name="Tokens">All of them: the time must be free in each.</param>
    public sealed record InSchedules(IReadOnlyList<byte[]> Tokens) : SlotWish;

    public sealed record OfActors : SlotWish;
}
