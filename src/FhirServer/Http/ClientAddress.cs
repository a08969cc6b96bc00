using System.Net;

namespace FhirServer.Http;

/// <summary>
/// Who sends a request that comes through proxies: the last address of <c>X-Forwarded-For</c> that is not a trusted proxy's own. What stands
/// before it was written by whoever sent it, so it is not looked at. Without trusted proxies the header means nothing.
/// </summary>
internal static class ClientAddress
{
    /// <returns><paramref name="peer"/> where it is no trusted proxy, or where the header holds no address.</returns>
    public static IPAddress? Find(IPAddress? peer, string? forwardedFor, IReadOnlyList<IPNetwork> trusted)
    {
        if (peer is null || string.IsNullOrEmpty(forwardedFor) || !IsTrusted(peer, trusted))
        {
            return peer;
        }
        var found = peer;
        var hops = forwardedFor.Split(',', StringSplitOptions.TrimEntries);
        for (var i = hops.Length - 1; i >= 0; i--)
        {
            if (!TryParse(hops[i], out var hop))
            {
                return found;
            }
            found = hop;
            if (!IsTrusted(hop, trusted))
            {
                return found;
            }
        }
        return found;
    }

    /// <summary>Takes <c>192.0.2.1</c>, <c>192.0.2.1:4711</c>, <c>2001:db8::1</c> and <c>[2001:db8::1]:4711</c>.</summary>
    private static bool TryParse(string text, out IPAddress address)
    {
        if (IPEndPoint.TryParse(text, out var found))
        {
            address = Plain(found.Address);
            return true;
        }
        address = IPAddress.None;
        return false;
    }

    private static bool IsTrusted(IPAddress address, IReadOnlyList<IPNetwork> trusted)
    {
        var plain = Plain(address);
        foreach (var network in trusted)
        {
            if (network.BaseAddress.AddressFamily == plain.AddressFamily && network.Contains(plain))
            {
                return true;
            }
        }
        return false;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
