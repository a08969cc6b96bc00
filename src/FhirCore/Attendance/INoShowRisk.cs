namespace FhirCore.Attendance;

/// <summary>How likely a patient is to miss a visit. Forecasting knows it; who plans reminders asks.</summary>
public interface INoShowRisk
{
    /// <returns>Null where nothing can be said: there is no model that is good enough, or the appointment is none that lies ahead.</returns>
    ValueTask<NoShowEstimate?> OfAsync(ResourceKey appointment, CancellationToken ct);
}

/// <param name="Chance">0…1, calibrated: of visits with a chance of 0.3 three in ten are missed.</param>
/// <param name="IsHigh">High enough, as the settings have it, that one reminder more is worth its price.</param>
public readonly record struct NoShowEstimate(double Chance, bool IsHigh);

/// <summary>How many reminders of a visit went out. Whoever sends them counts; the risk of missed visits is learned from it.</summary>
public interface IReminderCount
{
    /// <param name="appointment">Id of the Appointment.</param>
    ValueTask<int> SentAsync(string appointment, CancellationToken ct);
}
