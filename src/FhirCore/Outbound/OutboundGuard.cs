using System.Net;
using System.Net.Sockets;

namespace FhirCore.Outbound;

/// <summary>
/// Requests to addresses that somebody else wrote down (a client's key set, a subscription's webhook) must not reach into our own
/// network. The address is checked when the connection is made, so a name that resolves to something else by then gains nothing.
/// </summary>
/// <param name="resolve">Finds the addresses of a name; null asks the system.</param>
public sealed class OutboundGuard(AllowedEndpoints allowed, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
{
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;

    /// <summary>Whether a request may go there at all, so far as its text tells: <c>https</c>, no user name, no fragment.</summary>
    /// <returns>Null when it may; otherwise what is wrong with it.</returns>
    public string? Refuse(Uri target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (!target.IsAbsoluteUri || (target.Scheme != Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttp))
        {
            return "must be an absolute https address";
        }
        if (target.UserInfo.Length > 0 || target.Fragment.Length > 0)
        {
            return "must have neither user name nor fragment";
        }
        if (target.Scheme == Uri.UriSchemeHttp && !allowed.Names(target.IdnHost, target.Port))
        {
            return "must be an https address";
        }
        if (IPAddress.TryParse(target.IdnHost, out var address) ? !Reaches(target.IdnHost, target.Port, address) : IsThisMachine(target.IdnHost) && !allowed.Names(target.IdnHost, target.Port))
        {
            return "must be an address of the public internet";
        }
        return null;
    }

    /// <summary>https://www.rfc-editor.org/rfc/rfc6761#section-6.3</summary>
    private static bool IsThisMachine(string host) => host is "localhost" || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a connection to this address may be made for that name and port.</summary>
    public bool Reaches(string host, int port, IPAddress address) =>
        InternetAddress.IsPublic(address) || allowed.Names(host, port) || allowed.Contains(address);

    /// <summary>No redirects, no cookies, no proxy, no decompression, and no connection to an address that is not allowed.</summary>
    /// <param name="connectTimeout">For finding the address and connecting to it, TLS included.</param>
    public SocketsHttpHandler CreateHandler(TimeSpan connectTimeout) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = connectTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        MaxResponseHeadersLength = 16, // KB
        MaxConnectionsPerServer = 4,
        ConnectCallback = ConnectAsync,
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await _resolve(host, ct);
        var reachable = addresses.Where(address => Reaches(host, port, address)).ToArray();
        if (reachable.Length == 0)
        {
            throw new AddressRefusedException();
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(reachable, port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>A host has no address that may be connected to; found among the causes of the request's own exception.</summary>
public sealed class AddressRefusedException() : IOException("The host has no address that may be connected to.");
