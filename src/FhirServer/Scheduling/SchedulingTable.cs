using FhirServer.Http;
using FhirServer.Operations;
using SchedulingOperations;

namespace FhirServer.Scheduling;

/// <summary>Which operations there are, by path; routing and the CapabilityStatement read the same table.</summary>
internal static class SchedulingTable
{
    /// <returns>Null where there is no such operation.</returns>
    public static SchedulingOperation? Find(FhirRoute route)
    {
        if (route.Type is not "Appointment")
        {
            return null;
        }
        var onInstance = route.Kind == RouteKind.InstanceOperation;
        return route.Tail switch
        {
            "$find" when !onInstance => SchedulingOperation.Find,
            "$hold" => SchedulingOperation.Hold,
            "$book" => SchedulingOperation.Book,
            "$cancel" => SchedulingOperation.Cancel,
            "$confirm" when onInstance => SchedulingOperation.Confirm,
            "$reschedule" when onInstance => SchedulingOperation.Reschedule,
            _ => null,
        };
    }

    public static IReadOnlyList<OperationOffer> Offers(FhirBase @base, string? type) => type is not "Appointment" ? [] :
    [
        Offer(@base, "find"), Offer(@base, "hold"), Offer(@base, "book"), Offer(@base, "cancel"), Offer(@base, "confirm"), Offer(@base, "reschedule"),
    ];

    private static OperationOffer Offer(FhirBase @base, string name) => new(name, (@base.Dialect, name) switch
    {
        (SchedulingDialect.Ihe, "find" or "hold" or "book") => $"https://profiles.ihe.net/ITI/Scheduling/OperationDefinition/appointment-{name}",
        (not SchedulingDialect.Ihe, "book") => "https://gematik.de/fhir/isik/OperationDefinition/AppointmentBook",
        _ => $"urn:fhir-server:operation:Appointment-{name}",
    });
}
