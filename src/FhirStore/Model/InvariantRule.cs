namespace FhirStore.Model;

/// <summary>Types that the structural check treats specially.</summary>
internal enum InvariantRule : byte
{
    None,
    Extension,
    Period,
    Reference,
    Appointment,
    AppointmentParticipant,
}
