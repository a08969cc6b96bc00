namespace FhirStore.Slots;

/// <summary>How much of the free time is kept at hand.</summary>
public sealed record FreeSlotsOptions
{
    /// <summary>Weeks from today on, 0 to 26. Zero keeps nothing.</summary>
    public int Weeks { get; init; } = 6;

    /// <summary>Room in this process, in bytes.</summary>
    public long MostBytes { get; init; } = 32 << 20;

    /// <summary>How long a day may lie in the shared cache. It tells nothing about whether it is right: its stamp does.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(1);
}
