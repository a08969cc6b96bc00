using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bench;

/// <summary>One keep-alive connection that sends ready bytes and reads answers whole, with as little of its own as can be.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[64 << 10];
    private int _filled;

    public Task ConnectAsync(int port) => _socket.ConnectAsync(IPAddress.Loopback, port);

    /// <returns>Status, and the body where <paramref name="keepBody"/> asks for it.</returns>
    public async ValueTask<(int Status, byte[]? Body)> ExchangeAsync(ReadOnlyMemory<byte> request, bool keepBody)
    {
        for (var sent = 0; sent < request.Length;)
        {
            sent += await _socket.SendAsync(request[sent..]);
        }
        _filled = 0;
        while (true)
        {
            if (_filled == _buffer.Length)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(_filled));
            if (read == 0)
            {
                throw new BenchException("The server closed a connection.");
            }
            _filled += read;
            if (Complete(out var status, out var bodyStart, out var chunked))
            {
                return (status, keepBody ? Body(bodyStart, chunked) : null);
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private bool Complete(out int status, out int bodyStart, out bool chunked)
    {
        (status, bodyStart, chunked) = (0, 0, false);
        var bytes = _buffer.AsSpan(0, _filled);
        var headEnd = bytes.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
        {
            return false;
        }
        var head = bytes[..headEnd];
        bodyStart = headEnd + 4;
        _ = Utf8Parser.TryParse(head[9..12], out status, out _); // HTTP/1.1 200
        var at = head.IndexOf("Content-Length: "u8);
        if (at >= 0)
        {
            _ = Utf8Parser.TryParse(head[(at + 16)..], out int length, out _);
            return _filled >= bodyStart + length;
        }
        if (head.IndexOf("chunked"u8) >= 0)
        {
            chunked = true;
            return bytes.EndsWith("0\r\n\r\n"u8);
        }
        return true; // 204, 304
    }

    private byte[] Body(int start, bool chunked)
    {
        var raw = _buffer.AsSpan(start, _filled - start);
        if (!chunked)
        {
            return raw.ToArray();
        }
        using var body = new MemoryStream();
        while (true)
        {
            var line = raw.IndexOf("\r\n"u8);
            var size = Convert.ToInt32(Encoding.ASCII.GetString(raw[..line]), 16);
            if (size == 0)
            {
                return body.ToArray();
            }
            body.Write(raw.Slice(line + 2, size));
            raw = raw[(line + 2 + size + 2)..];
        }
    }
}
