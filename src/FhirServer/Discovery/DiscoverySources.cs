using Authorization.Discovery;
using Authorization.Server;
using FhirStore.Search;

namespace FhirServer.Discovery;

/// <summary>The parts of discovery that other rooms know.</summary>
internal sealed class DiscoverySources(PublicAddresses addresses)
{
    private readonly byte[] _smart = SmartConfigurationOf(addresses);

    public string TokenEndpoint => addresses.TokenEndpoint;

    public byte[] SmartConfiguration() => _smart;

    public SearchOffer ParametersOf(string type) => new([], [], []);

    private static byte[] SmartConfigurationOf(PublicAddresses addresses) => Authorization.Discovery.SmartConfiguration.Write(addresses);
}

/// <param name="Includes">Values that _include takes.</param>
/// <param name="RevIncludes">Values that _revinclude takes.</param>
internal sealed record SearchOffer(IReadOnlyList<ParameterOffer> Parameters, IReadOnlyList<string> Includes, IReadOnlyList<string> RevIncludes);

/// <param name="Definition">Canonical of the SearchParameter; empty where R4 names none.</param>
/// <param name="Type">Code of http://hl7.org/fhir/search-param-type.</param>
internal sealed record ParameterOffer(string Name, string Type, string Definition);

/// <param name="Definition">Canonical of the OperationDefinition.</param>
internal sealed record OperationOffer(string Name, string Definition);
