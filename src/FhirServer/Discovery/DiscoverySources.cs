using Authorization.Server;
using FhirCore.Records;
using FhirServer.Auditing;
using FhirServer.Http;
using FhirServer.Operations;
using FhirServer.Settings;
using FhirServer.Subscriptions;
using FhirStore.Search;
using Microsoft.Extensions.Options;
using Subscriptions.Topics;

namespace FhirServer.Discovery;

/// <summary>The parts of discovery that other rooms know.</summary>
internal sealed class DiscoverySources(PublicAddresses addresses, IOptions<AuthOptions> options, OperationRouter operations, TopicDirectory topics, ServerSettings settings)
{
    public string TokenEndpoint => addresses.TokenEndpoint;

    public string AuthorizeEndpoint => addresses.AuthorizeEndpoint;

    public string RevocationEndpoint => addresses.RevocationEndpoint;

    public string IntrospectionEndpoint => addresses.IntrospectionEndpoint;

    public string AppsPage => addresses.AppsPage;

    public byte[] SmartConfiguration { get; } = Authorization.Discovery.SmartConfiguration.Write(addresses, options.Value);

    public string WebSocketUrl { get; } = SocketEndpoint.UrlOf(settings.BaseUrl);

    /// <summary>What may be subscribed to; the same instance for as long as it does not change. Discovery answers also while the store does not.</summary>
    public async ValueTask<TopicSet> ReadTopicsAsync(CancellationToken ct)
    {
        try
        {
            return await topics.ReadAsync(ct);
        }
        catch (StoreUnavailableException)
        {
            return topics.Known;
        }
    }

    /// <param name="type">Null for operations of the whole system.</param>
    public IReadOnlyList<OperationOffer> OperationsOf(FhirBase @base, string? type) => operations.Offers(@base, type);

    /// <summary>The audit trail is searched for itself, not through other types nor they through it.</summary>
    public SearchOffer SearchOf(string type) => type == AuditEvents.Type
        ? new(SearchParameterInfo.Of(type), [], [])
        : new(SearchParameterInfo.Of(type), SearchParameterInfo.IncludesOf(type), [.. SearchParameterInfo.RevIncludesOf(type).Where(value => !value.StartsWith("AuditEvent:", StringComparison.Ordinal))]);
}

/// <param name="Includes">Values that _include takes.</param>
/// <param name="RevIncludes">Values that _revinclude takes.</param>
internal sealed record SearchOffer(IReadOnlyList<SearchParameterInfo> Parameters, IReadOnlyList<string> Includes, IReadOnlyList<string> RevIncludes);
