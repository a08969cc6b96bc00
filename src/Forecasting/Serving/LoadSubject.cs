using FhirCore;
using Forecasting.Series;
using NodaTime;

namespace Forecasting.Serving;

/// <summary>Whose load is asked for.</summary>
/// <param name="Key">Practitioner, Location, HealthcareService or Schedule; null for a part that no resource stands for.</param>
/// <param name="Title">To be shown to people.</param>
/// <param name="Filter">Which visits are its.</param>
/// <param name="Zone">On whose clock its days are days.</param>
/// <param name="Schedules">By which it is booked.</param>
/// <param name="Opening">When it works, as far as somebody has said.</param>
internal sealed record LoadSubject(ResourceKey? Key, string Title, LoadFilter Filter, DateTimeZone Zone, IReadOnlyList<ResourceKey> Schedules, Opening Opening)
{
    /// <summary>Tells subjects apart, also parts.</summary>
    public string Name => $"{Key?.ToString() ?? Title}\n{Within}";

    /// <summary>Of a part: what it is a part of. A practitioner's load at one place is not all of theirs.</summary>
    public ResourceKey? Within { get; init; }
}

/// <summary>When somebody works, as their roles, services and schedules say.</summary>
internal sealed record Opening
{
    public static Opening Unknown { get; } = new();

    /// <summary>Null where nobody has said.</summary>
    public IReadOnlySet<DayOfWeek>? Weekdays { get; init; }

    /// <summary>Whole days on which there is nobody, both ends included.</summary>
    public IReadOnlyList<(DateOnly From, DateOnly To)> Absences { get; init; } = [];

    /// <summary>Last day that is planned; null where there is no end.</summary>
    public DateOnly? Last { get; init; }
}
