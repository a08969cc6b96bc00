using System.Net;
using System.Net.Sockets;
using FhirServer.Hosting;

namespace FhirServer.Tests.Processes;

public sealed class ListeningSocketsTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task RefuseNewConnections_LetsOldOnesWork_AndThoseThatWaitBeAccepted(string address)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux filters packets of a listening socket.");
        Assert.SkipWhen(address == "::1" && !Socket.OSSupportsIPv6, "IPv6 is off.");
        var sockets = new ListeningSockets();
        using var listener = sockets.Add(new Socket(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        listener.Listen(16);
        using var accepted = await ConnectAsync(listener);
        using var there = await listener.AcceptAsync();
        using var waiting = await ConnectAsync(listener);

        sockets.RefuseNewConnections();

        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(700));
        await Assert.ThrowsAsync<OperationCanceledException>(() => ConnectAsync(listener, limit.Token));
        foreach (var (client, server) in new[] { (accepted, there), (waiting, await listener.AcceptAsync()) })
        {
            Assert.Equal(1, await client.SendAsync(new byte[] { 7 }));
            var byteOf = new byte[1];
            Assert.Equal(1, await server.ReceiveAsync(byteOf));
            Assert.Equal(7, byteOf[0]);
        }
    }

    private static async Task<Socket> ConnectAsync(Socket listener, CancellationToken ct = default)
    {
        var socket = new Socket(listener.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndPoint!, ct);
        return socket;
    }
}
