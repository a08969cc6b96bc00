using System.ComponentModel.DataAnnotations;

namespace SchedulingOperations;

/// <summary>Settings under <c>Scheduling</c>.</summary>
public sealed class SchedulingOptions : IValidatableObject
{
    /// <summary>True books only whole slots: an appointment inside a longer slot is refused instead of cutting the slot.</summary>
    public bool StrictSlotMatch { get; set; }

    /// <summary>Longest appointment that can take time, and longest slot that is looked into for a shorter one.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "7.00:00:00")]
    public TimeSpan MaxAppointmentLength { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Resource types of which one actor cannot be in two appointments at once, separated by commas. Add <c>Patient</c> to keep
    /// patients from overlapping visits too. A Location whose physicalType is bigger than a room is never exclusive.
    /// </summary>
    [Required(AllowEmptyStrings = true)]
    public string ExclusiveActors { get; set; } = "Practitioner,PractitionerRole,Location,Device";

    /// <summary><see cref="ExclusiveActors"/> taken apart.</summary>
    public IReadOnlySet<string> ExclusiveActorTypes() =>
        ExclusiveActors.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);

    /// <summary>Most characters of Appointment.description, comment and patientInstruction; a longer text is refused, never cut.</summary>
    [Range(255, 1_000_000)]
    public int MaxTextLength { get; set; } = 4000;

    /// <summary>Most proposals that <c>$find</c> looks at; a search that finds more must be narrowed.</summary>
    [Range(100, 100_000)]
    public int FindLimit { get; set; } = 5000;

    /// <summary>Proposals on a page of <c>$find</c> where <c>_count</c> is not given.</summary>
    [Range(1, 1000)]
    public int FindPageSize { get; set; } = 50;

    /// <summary>Longest range that <c>$find</c> takes.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "366.00:00:00")]
    public TimeSpan FindRange { get; set; } = TimeSpan.FromDays(31);

    /// <summary>IANA zone in which a date without a time begins.</summary>
    [Required]
    public string TimeZone { get; set; } = "Etc/UTC";

    /// <summary>How long an <c>Idempotency-Key</c> gives the first answer again.</summary>
    [Range(typeof(TimeSpan), "00:10:00", "30.00:00:00")]
    public TimeSpan IdempotencyLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Every commit of an operation stores a Provenance of the appointments it writes.</summary>
    public bool Provenance { get; set; } = true;

    public HoldOptions Hold { get; set; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (NodaTime.DateTimeZoneProviders.Tzdb.GetZoneOrNull(TimeZone) is null)
        {
            yield return new("Scheduling:TimeZone must be an IANA time zone such as Europe/Berlin.", [nameof(TimeZone)]);
        }
        foreach (var type in ExclusiveActorTypes())
        {
            if (type is not ("Patient" or "Practitioner" or "PractitionerRole" or "RelatedPerson" or "Device" or "HealthcareService" or "Location"))
            {
                yield return new($"Scheduling:ExclusiveActors: {type} is no type of Appointment.participant.actor.", [nameof(ExclusiveActors)]);
            }
        }
        var inner = new List<ValidationResult>();
        Validator.TryValidateObject(Hold, new(Hold), inner, validateAllProperties: true);
        foreach (var result in inner)
        {
            yield return new($"Scheduling:Hold: {result.ErrorMessage}", [nameof(Hold)]);
        }
    }
}

/// <summary>Settings under <c>Scheduling:Hold</c>.</summary>
public sealed class HoldOptions : IValidatableObject
{
    /// <summary>How long a patient may keep a time while filling in the form.</summary>
    [Range(typeof(TimeSpan), "00:00:30", "01:00:00")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How often expired holds are looked for. An expired hold never blocks, even before the sweep has seen it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Most holds that one client may have at a time; 0 means no limit.</summary>
    [Range(0, 100_000)]
    public int PerClient { get; set; } = 1000;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => SweepInterval < Lifetime ? [] :
        [new("SweepInterval must be shorter than Lifetime.", [nameof(SweepInterval)])];
}
