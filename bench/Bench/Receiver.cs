using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bench;

/// <summary>
/// Stands in for subscribers (<c>/hook/…</c>) and for the provider of SMS (everything else), in the process and on the core of the load:
/// takes requests whole, answers at once, counts. Of notifications it looks at when the events were, if told to.
/// </summary>
internal sealed class Receiver : IDisposable
{
    private static readonly byte[] Taken = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    private static readonly byte[] NothingFound = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"messages\":[]}");
    private static readonly byte[] Timestamp = Encoding.ASCII.GetBytes("\"timestamp\",\"valueInstant\":\"");
    private static readonly byte[] EventNumber = Encoding.ASCII.GetBytes("\"event-number\"");
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Lock _lock = new();
    private List<float> _milliseconds = [];
    private long _notifications;
    private long _events;
    private long _messages;
    private long _lookedFor;

    public Receiver()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Whether the age of each event is kept.</summary>
    public bool KeepsAges { get; set; }

    public long Notifications => Volatile.Read(ref _notifications);

    public long Events => Volatile.Read(ref _events);

    public long Messages => Volatile.Read(ref _messages);

    /// <summary>How often the server has asked whether it has sent a message already; it is told no.</summary>
    public long LookedFor => Volatile.Read(ref _lookedFor);

    /// <returns>Milliseconds from the change of the resource, as the server has stamped it before its commit, to the notification's arrival; since the last call.</returns>
    public float[] TakeAges()
    {
        lock (_lock)
        {
            var ages = _milliseconds.ToArray();
            _milliseconds = [];
            Array.Sort(ages);
            return ages;
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync();
                socket.NoDelay = true;
                _ = ServeAsync(socket);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // Over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var own = socket;
        var buffer = new byte[64 << 10];
        var filled = 0;
        try
        {
            while (true)
            {
                if (filled == buffer.Length)
                {
                    Array.Resize(ref buffer, buffer.Length * 2);
                }
                var read = await socket.ReceiveAsync(buffer.AsMemory(filled));
                if (read == 0)
                {
                    return;
                }
                filled += read;
                while (LengthOf(buffer.AsSpan(0, filled), out var body) is var length && length > 0 && length <= filled)
                {
                    var answer = Take(buffer.AsSpan(0, length), buffer.AsSpan(body, length - body));
                    buffer.AsSpan(length, filled - length).CopyTo(buffer);
                    filled -= length;
                    await socket.SendAsync(answer);
                }
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The server has gone.
        }
    }

    /// <returns>Of head and body; 0 while the head is not there yet.</returns>
    private static int LengthOf(ReadOnlySpan<byte> bytes, out int body)
    {
        body = bytes.IndexOf("\r\n\r\n"u8) + 4;
        if (body < 4)
        {
            return 0;
        }
        var at = bytes[..body].IndexOf("Content-Length: "u8);
        var length = 0;
        return at >= 0 && Utf8Parser.TryParse(bytes[(at + 16)..], out length, out _) ? body + length : body;
    }

    private ReadOnlyMemory<byte> Take(ReadOnlySpan<byte> request, ReadOnlySpan<byte> body)
    {
        if (request.StartsWith("GET "u8))
        {
            Interlocked.Increment(ref _lookedFor);
            return NothingFound;
        }
        if (!request.StartsWith("POST /hook"u8))
        {
            var number = Interlocked.Increment(ref _messages);
            var json = string.Create(CultureInfo.InvariantCulture, $$"""{"sid":"SM{{number:D32}}","status":"queued"}""");
            return Encoding.ASCII.GetBytes($"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}");
        }
        Interlocked.Increment(ref _notifications);
        Interlocked.Add(ref _events, body.Count(EventNumber));
        if (KeepsAges)
        {
            Keep(body, TimeProvider.System.GetUtcNow());
        }
        return Taken;
    }

    private void Keep(ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        for (var at = body.IndexOf(Timestamp); at >= 0; at = body.IndexOf(Timestamp))
        {
            body = body[(at + Timestamp.Length)..];
            var then = DateTimeOffset.Parse(Encoding.ASCII.GetString(body[..body.IndexOf((byte)'"')]), CultureInfo.InvariantCulture);
            lock (_lock)
            {
                _milliseconds.Add((float)(now - then).TotalMilliseconds);
            }
        }
    }
}
