using FhirCore;

namespace FhirStore.Writing;

/// <summary>Where in a Bundle it is that a rule refuses.</summary>
public static class RefusalPlace
{
    /// <param name="location"><see cref="PlannedWrite.Location"/>; null leaves the expressions as they are.</param>
    /// <returns><c>Slot.start</c> becomes <c>Bundle.entry[3].resource.start</c>.</returns>
    public static FhirFailure At(this FhirFailure failure, string? location)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return location is null ? failure : failure with
        {
            Issues = [.. failure.Issues.Select(issue => issue with
            {
                Expression = issue.Expression is { } expression && expression.IndexOf('.', StringComparison.Ordinal) is var dot and > 0
                    ? $"{location}.resource{expression[dot..]}"
                    : location,
            })],
        };
    }
}
