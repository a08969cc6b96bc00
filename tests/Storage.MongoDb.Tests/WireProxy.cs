using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MongoDB.Driver;

namespace Storage.MongoDb.Tests;

/// <summary>Stands between the driver and the server, and may hold or lose what passes. It knows where a message of the wire protocol ends, and no more.</summary>
internal sealed class WireProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly (string Host, int Port) _server;

    public WireProxy(string uri)
    {
        var url = new MongoUrl(uri);
        Assert.SkipWhen(url.Servers.Count() != 1, "MONGODB_URI names several members; this test stands between the driver and one.");
        _server = (url.Server.Host, url.Server.Port);
        _listener.Start();
        Uri = new MongoUrlBuilder(uri) { Server = new("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port), DirectConnection = true }.ToString();
        _ = Task.Run(AcceptAsync);
    }

    public string Uri { get; }

    /// <summary>Asked about every message to the server before it goes on. Messages that the answer is slow about wait.</summary>
    public Func<Message, ValueTask<Fate>> OnRequest { get; set; } = _ => new(Fate.Pass);

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            _ = Task.Run(() => ServeAsync(client));
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(_server.Host, _server.Port, _stop.Token);
            var (up, down) = (near.GetStream(), far.GetStream());
            while (await ReadAsync(up) is { } request)
            {
                var fate = await OnRequest(new(request));
                if (fate == Fate.LoseRequest)
                {
                    return;
                }
                await down.WriteAsync(request, _stop.Token);
                if (await ReadAsync(down) is not { } reply || fate == Fate.LoseReply)
                {
                    return;
                }
                await up.WriteAsync(reply, _stop.Token);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // one side has gone
        }
    }

    private async Task<byte[]?> ReadAsync(NetworkStream stream)
    {
        var head = new byte[4];
        if (await stream.ReadAtLeastAsync(head, 4, throwOnEndOfStream: false, _stop.Token) < 4)
        {
            return null;
        }
        var message = new byte[BinaryPrimitives.ReadInt32LittleEndian(head)];
        head.CopyTo(message, 0);
        await stream.ReadExactlyAsync(message.AsMemory(4), _stop.Token);
        return message;
    }

    public enum Fate
    {
        Pass,

        /// <summary>The connection breaks before the server sees the message.</summary>
        LoseRequest,

        /// <summary>The server does what it is told, and the connection breaks before the answer.</summary>
        LoseReply,
    }

    public sealed class Message(byte[] bytes)
    {
        private readonly string _text = Encoding.Latin1.GetString(bytes);

        public bool Is(string command) => _text.Contains($"\u0002{command}\0", StringComparison.Ordinal) || _text.Contains($"\u0010{command}\0", StringComparison.Ordinal);

        /// <summary>A command on a collection: <c>insert</c> on <c>journal</c>.</summary>
        public bool Is(string command, string collection) => _text.Contains($"\u0002{command}\0{Length(collection)}{collection}\0", StringComparison.Ordinal);

        private static string Length(string text) => $"{(char)(text.Length + 1)}\0\0\0";
    }
}
