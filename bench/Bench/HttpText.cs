using System.Globalization;
using System.Text;

namespace Bench;

/// <summary>Requests as bytes, made before the clock runs.</summary>
internal sealed class HttpText(int port, string token)
{
    public byte[] Get(string path) => Encoding.UTF8.GetBytes($"GET {path} HTTP/1.1\r\n{Common()}\r\n");

    public byte[] Delete(string path) => Encoding.UTF8.GetBytes($"DELETE {path} HTTP/1.1\r\n{Common()}\r\n");

    public byte[] Post(string path, string json) => Post(path, json, "");

    /// <param name="extraHeaders">Each with its line end.</param>
    public byte[] Post(string path, string json, string extraHeaders)
    {
        var body = Encoding.UTF8.GetByteCount(json).ToString(CultureInfo.InvariantCulture);
        return Encoding.UTF8.GetBytes($"POST {path} HTTP/1.1\r\n{Common()}Content-Type: application/fhir+json\r\nContent-Length: {body}\r\n{extraHeaders}\r\n{json}");
    }

    /// <returns>The same request, to another path: the bare endpoint gets what the server got.</returns>
    public static byte[] Retarget(ReadOnlySpan<byte> request, string path)
    {
        var methodEnd = request.IndexOf((byte)' ');
        var pathEnd = methodEnd + 1 + request[(methodEnd + 1)..].IndexOf((byte)' ');
        return [.. request[..(methodEnd + 1)], .. Encoding.ASCII.GetBytes(path), .. request[pathEnd..]];
    }

    private string Common() => $"Host: 127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}\r\nAuthorization: Bearer {token}\r\nAccept: application/fhir+json\r\n";
}
