using FhirCore;
using FhirServer.Http;

namespace FhirServer.Operations;

/// <summary>From the path of an operation to the feature that has it.</summary>
internal sealed class OperationRouter(IEnumerable<IFhirOperations> features)
{
    private readonly IFhirOperations[] _features = [.. features];

    public ValueTask<FhirReply> InvokeAsync(FhirRequest request, CancellationToken ct)
    {
        foreach (var feature in _features)
        {
            if (feature.Has(request.Route))
            {
                return feature.InvokeAsync(request, ct);
            }
        }
        return new(FhirReply.Refused(FhirFailure.Of(
            FailureKind.NotFound, $"There is no operation of this name on {Place(request.Route)}; GET [base]/metadata lists what is there.", code: "not-supported")));
    }

    /// <summary>Forms beside FHIR's JSON that a route's answer may have.</summary>
    public IReadOnlyList<MediaType> Media(FhirRoute route)
    {
        if (route.Kind is RouteKind.SystemOperation or RouteKind.TypeOperation or RouteKind.InstanceOperation)
        {
            foreach (var feature in _features)
            {
                if (feature.Has(route))
                {
                    return feature.Media(route);
                }
            }
        }
        return [];
    }

    /// <param name="type">Null for operations of the whole system.</param>
    public IReadOnlyList<OperationOffer> Offers(FhirBase @base, string? type) => [.. _features.SelectMany(feature => feature.Offers(@base, type))];

    private static string Place(FhirRoute route) => route.Kind switch
    {
        RouteKind.SystemOperation => "the base",
        RouteKind.TypeOperation => $"the type {route.Type}",
        _ => $"a single {route.Type}",
    };
}
