using Authorization.Server;
using FhirStore.Search;
using Microsoft.Extensions.Options;

namespace FhirServer.Discovery;

/// <summary>The parts of discovery that other rooms know.</summary>
internal sealed class DiscoverySources(PublicAddresses addresses, IOptions<AuthOptions> options)
{
    public string TokenEndpoint => addresses.TokenEndpoint;

    public string AuthorizeEndpoint => addresses.AuthorizeEndpoint;

    public string RevocationEndpoint => addresses.RevocationEndpoint;

    public string IntrospectionEndpoint => addresses.IntrospectionEndpoint;

    public string AppsPage => addresses.AppsPage;

    public byte[] SmartConfiguration { get; } = Authorization.Discovery.SmartConfiguration.Write(addresses, options.Value);

    public SearchOffer SearchOf(string type) => new(SearchParameterInfo.Of(type), SearchParameterInfo.IncludesOf(type), SearchParameterInfo.RevIncludesOf(type));
}

/// <param name="Includes">Values that _include takes.</param>
/// <param name="RevIncludes">Values that _revinclude takes.</param>
internal sealed record SearchOffer(IReadOnlyList<SearchParameterInfo> Parameters, IReadOnlyList<string> Includes, IReadOnlyList<string> RevIncludes);

/// <param name="Definition">Canonical of the OperationDefinition.</param>
internal sealed record OperationOffer(string Name, string Definition);
