using FhirServer.Http;
using FhirServer.Operations;
using Forecasting;

namespace FhirServer.Forecasting;

/// <summary>Which operations on load there are, by path; routing and the CapabilityStatement read the same table.</summary>
internal static class ForecastTable
{
    /// <returns>Null where there is no such operation.</returns>
    public static LoadOperation? Find(FhirRoute route)
    {
        if (route.Type is null || !ForecastingApi.Types.Contains(route.Type))
        {
            return null;
        }
        return route.Tail switch
        {
            "$forecast" => LoadOperation.Forecast,
            "$capacity" => LoadOperation.Capacity,
            _ => null,
        };
    }

    public static IReadOnlyList<OperationOffer> Offers(string? type) => type is null || !ForecastingApi.Types.Contains(type) ? [] : [Offer("forecast"), Offer("capacity")];

    private static OperationOffer Offer(string name) => new(name, $"urn:fhir-server:operation:{name}");
}
