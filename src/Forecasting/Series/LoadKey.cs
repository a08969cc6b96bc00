namespace Forecasting.Series;

/// <summary>Whose load a visit is, as finely as it is counted. Every series is a sum over some of these, so a whole is the sum of its parts.</summary>
/// <param name="Practitioner">Id of the Practitioner; null where none takes part.</param>
/// <param name="Service">Id of the HealthcareService that takes part.</param>
/// <param name="Type">First code of <c>serviceType</c>, <c>system|code</c>.</param>
/// <param name="Location">Id of the Location that takes part, a room rather than its house.</param>
public sealed record LoadKey(string? Practitioner, string? Service, string? Type, string? Location)
{
    /// <summary>Tells keys apart: no part holds a line feed.</summary>
    internal string Text => $"{Practitioner}\n{Service}\n{Type}\n{Location}";
}
