using FhirServer.Http;

namespace FhirServer.Operations;

/// <summary>One feature's operations (<c>$name</c>) over HTTP: each is named here once, for routing and for the CapabilityStatement.</summary>
internal interface IFhirOperations
{
    /// <param name="type">Null for operations of the whole system.</param>
    IReadOnlyList<OperationOffer> Offers(FhirBase @base, string? type);

    /// <summary>Whether the path names one of them, whatever the method.</summary>
    bool Has(FhirRoute route);

    /// <summary>Forms beside FHIR's JSON that the operation answers in, where the request asks for one of them.</summary>
    IReadOnlyList<MediaType> Media(FhirRoute route) => [];

    /// <summary>Asks the access decision, then answers. Called for routes it <see cref="Has"/>.</summary>
    ValueTask<FhirReply> InvokeAsync(FhirRequest request, CancellationToken ct);
}

/// <param name="Name">Without the dollar sign.</param>
/// <param name="Definition">Canonical address of the OperationDefinition.</param>
internal sealed record OperationOffer(string Name, string Definition);
