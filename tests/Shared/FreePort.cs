using System.Net;
using System.Net.Sockets;

namespace Tests.Shared;

/// <summary>A port of loopback that nobody listens on.</summary>
internal static class FreePort
{
    /// <summary>Below the ports that outgoing connections are given, and drawn, so that servers started at once seldom meet.</summary>
    public static int Draw()
    {
        while (true)
        {
            var port = Random.Shared.Next(15_000, 32_000);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next one.
            }
        }
    }
}
