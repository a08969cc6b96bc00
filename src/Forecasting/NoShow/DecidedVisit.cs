namespace Forecasting.NoShow;

/// <summary>A visit of which is known whether the patient came: what the risk is learned from. Who the patient is matters only for telling patients apart.</summary>
/// <param name="Hour">0…23, on the clock of its place.</param>
/// <param name="LeadDays">Null where it is not known when it was booked.</param>
/// <param name="Service">First code of its service type; empty where there is none.</param>
internal sealed record DecidedVisit(string Patient, DateTimeOffset Start, DayOfWeek Weekday, int Hour, int? LeadDays, string Service, int Reminders, bool Missed);
