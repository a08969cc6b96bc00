using System.Buffers;
using System.IO.Pipelines;
using FhirCore;

namespace FhirServer.Http;

/// <summary>Reads a request's body whole, into memory of its own.</summary>
internal static class BodyReader
{
    public static async ValueTask<Outcome<ReadOnlyMemory<byte>>> ReadAsync(HttpRequest request, long mostBytes, CancellationToken ct)
    {
        var announced = request.ContentLength;
        if (announced > mostBytes)
        {
            return TooLarge(mostBytes); // before a byte of it is read
        }
        if (announced is 0 || (announced is null && !request.Headers.ContainsKey("Transfer-Encoding") && request.Protocol == "HTTP/1.1"))
        {
            return ReadOnlyMemory<byte>.Empty;
        }
        return announced is { } length
            ? await ReadKnownAsync(request.BodyReader, (int)length, ct)
            : await ReadChunkedAsync(request, mostBytes, ct);
    }

    public static FhirFailure TooLarge(long mostBytes) => FhirFailure.Of(FailureKind.TooLarge,
        $"The body is larger than {mostBytes} bytes. Send large data in several Bundles.");

    private static async ValueTask<ReadOnlyMemory<byte>> ReadKnownAsync(PipeReader reader, int length, CancellationToken ct)
    {
        var body = GC.AllocateUninitializedArray<byte>(length);
        var filled = 0;
        while (true)
        {
            var result = await reader.ReadAsync(ct);
            result.Buffer.CopyTo(body.AsSpan(filled));
            filled += (int)result.Buffer.Length;
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return body.AsMemory(0, filled);
            }
        }
    }

    private static async ValueTask<Outcome<ReadOnlyMemory<byte>>> ReadChunkedAsync(HttpRequest request, long mostBytes, CancellationToken ct)
    {
        var body = new ArrayBufferWriter<byte>(16 << 10);
        while (true)
        {
            var result = await request.BodyReader.ReadAsync(ct);
            foreach (var segment in result.Buffer)
            {
                body.Write(segment.Span);
            }
            request.BodyReader.AdvanceTo(result.Buffer.End);
            if (body.WrittenCount > mostBytes)
            {
                return TooLarge(mostBytes);
            }
            if (result.IsCompleted)
            {
                return body.WrittenMemory;
            }
        }
    }
}
