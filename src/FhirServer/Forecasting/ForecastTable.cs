using FhirServer.Http;
using FhirServer.Operations;
using Forecasting;

namespace FhirServer.Forecasting;

/// <summary>Which operations of forecasting there are, by path; routing and the CapabilityStatement read the same table.</summary>
internal static class ForecastTable
{
    /// <param name="AtType">Offered for all of a type too.</param>
    private sealed record Offered(string Name, ForecastingOperation Operation, IReadOnlyList<string> Types, bool AtType);

    private static readonly Offered[] All =
    [
        new("forecast", ForecastingOperation.Forecast, ForecastingApi.Types, true),
        new("capacity", ForecastingOperation.Capacity, ForecastingApi.Types, true),
        new("no-show-risk", ForecastingOperation.NoShowRisk, ["Appointment"], false),
        new("overbooking", ForecastingOperation.Overbooking, ["Schedule"], false),
        new("waitlist", ForecastingOperation.Waitlist, ["Schedule"], false),
    ];

    /// <returns>Null where there is no such operation.</returns>
    public static ForecastingOperation? Find(FhirRoute route)
    {
        foreach (var offered in All)
        {
            if (route.Tail is ['$', .. var name] && name == offered.Name && route.Type is { } type && offered.Types.Contains(type)
                && (route.Kind == RouteKind.InstanceOperation || (offered.AtType && route.Kind == RouteKind.TypeOperation)))
            {
                return offered.Operation;
            }
        }
        return null;
    }

    public static IReadOnlyList<OperationOffer> Offers(string? type) =>
        [.. All.Where(offered => type is not null && offered.Types.Contains(type)).Select(offered => new OperationOffer(offered.Name, $"urn:fhir-server:operation:{offered.Name}"))];
}
