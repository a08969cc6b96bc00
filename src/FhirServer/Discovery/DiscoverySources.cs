using Authorization.Server;
using FhirServer.Auditing;
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

    /// <summary>The audit trail is searched for itself, not through other types nor they through it.</summary>
    public SearchOffer SearchOf(string type) => type == AuditEvents.Type
        ? new(SearchParameterInfo.Of(type), [], [])
        : new(SearchParameterInfo.Of(type), SearchParameterInfo.IncludesOf(type), [.. SearchParameterInfo.RevIncludesOf(type).Where(value => !value.StartsWith("AuditEvent:", StringComparison.Ordinal))]);
}

/// <param name="Includes">Values that _include takes.</param>
/// <param name="RevIncludes">Values that _revinclude takes.</param>
internal sealed record SearchOffer(IReadOnlyList<SearchParameterInfo> Parameters, IReadOnlyList<string> Includes, IReadOnlyList<string> RevIncludes);

/// <param name="Definition">Canonical of the OperationDefinition.</param>
internal sealed record OperationOffer(string Name, string Definition);
