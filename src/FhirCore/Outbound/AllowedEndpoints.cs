using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace FhirCore.Outbound;

/// <summary>
/// Private targets that the operator has named: <c>host:port</c> lets that name and port through whatever it resolves to, over plain
/// http too; a network such as <c>10.1.0.0/16</c> lets its addresses through, for https only.
/// </summary>
public sealed class AllowedEndpoints
{
    public static readonly AllowedEndpoints None = new([], []);

    private readonly ImmutableHashSet<(string Host, int Port)> _hosts;
    private readonly ImmutableArray<IPNetwork> _networks;

    private AllowedEndpoints(ImmutableHashSet<(string Host, int Port)> hosts, ImmutableArray<IPNetwork> networks)
    {
        _hosts = hosts;
        _networks = networks;
    }

    /// <param name="wrong">The entry that is neither.</param>
    public static bool TryParse(IEnumerable<string> entries, [NotNullWhen(true)] out AllowedEndpoints? allowed, [NotNullWhen(false)] out string? wrong)
    {
        ArgumentNullException.ThrowIfNull(entries);
        var hosts = ImmutableHashSet.CreateBuilder<(string, int)>();
        var networks = ImmutableArray.CreateBuilder<IPNetwork>();
        foreach (var entry in entries)
        {
            if (IPNetwork.TryParse(entry, out var network))
            {
                if (!IPAddress.TryParse(entry.AsSpan(0, entry.IndexOf('/', StringComparison.Ordinal)), out var written) || !written.Equals(network.BaseAddress))
                {
                    (allowed, wrong) = (null, entry); // 10.0.0.1/8: one address was meant, or all of them?
                    return false;
                }
                networks.Add(network);
            }
            else if (TryParseHost(entry, out var host))
            {
                hosts.Add(host);
            }
            else
            {
                (allowed, wrong) = (null, entry);
                return false;
            }
        }
        (allowed, wrong) = (new(hosts.ToImmutable(), networks.ToImmutable()), null);
        return true;
    }

    /// <summary>That name and port were named, whatever address they have.</summary>
    public bool Names(string host, int port) => _hosts.Contains((Plain(host), port));

    public bool Contains(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return _networks.Any(network => network.Contains(plain));
    }

    private static bool TryParseHost(string entry, out (string Host, int Port) host)
    {
        host = default;
        var colon = entry?.LastIndexOf(':') ?? -1;
        if (colon <= 0
            || !int.TryParse(entry.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > IPEndPoint.MaxPort
            || Uri.CheckHostName(entry![..colon]) == UriHostNameType.Unknown)
        {
            return false;
        }
        host = (Plain(entry[..colon]), port);
        return true;
    }

    private static string Plain(string host) => host.Trim('[', ']').ToLowerInvariant();
}
