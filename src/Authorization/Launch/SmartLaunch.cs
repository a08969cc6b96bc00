namespace Authorization.Launch;

/// <summary>What is in view when an app starts: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token.</summary>
public sealed record SmartLaunch
{
    /// <summary>Id of the Patient.</summary>
    public string? Patient { get; init; }

    /// <summary>Id of the Encounter.</summary>
    public string? Encounter { get; init; }

    /// <summary>JSON array of the further context, each with reference, canonical or identifier.</summary>
    public string? FhirContext { get; init; }

    /// <summary>False where the EHR shows already whose data it is.</summary>
    public bool? NeedPatientBanner { get; init; }

    /// <summary>What the app is opened for, in words the EHR and the app have agreed on.</summary>
    public string? Intent { get; init; }
}
