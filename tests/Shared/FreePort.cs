using System.Net;
using System.Net.Sockets;

namespace Tests.Shared;

/// <summary>
/// Ports of loopback that nobody listens on. Each test program draws from ports of its own, one after another: between the draw and the moment when
/// a server listens there, seconds may pass, and nobody else must come to the same one meanwhile.
/// </summary>
/// <remarks>
/// All are below those that outgoing connections are given. A program owns 20 ports of each second thousand from 14,000 on; what a server takes beside
/// the port it was given, a thousand above it, lies among those that nobody draws.
/// </remarks>
internal static class FreePort
{
    private const int First = 14_000;
    private const int Stride = 2_000;
    private const int Strides = 9;
    private const int Owned = 20;
    private const int Programs = 1_000 / Owned;

    private static readonly (int Start, FileStream Held) Own = Take();
    private static int _drawn = Random.Shared.Next(Owned * Strides);

    /// <param name="count">So many in a row.</param>
    /// <returns>The first of them.</returns>
    public static int Draw(int count = 1)
    {
        for (var attempt = 0; attempt < Owned * Strides; attempt++)
        {
            var last = Interlocked.Add(ref _drawn, count) - 1;
            if (last % Owned < count - 1)
            {
                continue; // they would lie in two thousands
            }
            var port = Own.Start + (last / Owned % Strides * Stride) + (last % Owned) - count + 1;
            if (Enumerable.Range(port, count).All(IsFree))
            {
                return port;
            }
        }
        throw new InvalidOperationException("None of this program's ports is free.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var probe = new TcpListener(IPAddress.Loopback, port);
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>The lock of a file goes with the process that holds it, however that ends.</summary>
    private static (int Start, FileStream Held) Take()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "fhir-test-ports")).FullName;
        for (var program = 0; program < Programs; program++)
        {
            try
            {
                return (First + (program * Owned), new(Path.Combine(folder, $"{program}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException)
            {
                // Another program has these.
            }
        }
        throw new InvalidOperationException("Too many test programs run at once.");
    }
}
