using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace FhirServer.Commands;

/// <param name="Number">From 1.</param>
/// <param name="Length">Bytes of the file it takes up, its end included.</param>
internal readonly record struct ImportLine(long Number, ReadOnlyMemory<byte> Utf8, int Length)
{
    public bool IsBlank => Utf8.Span.IndexOfAnyExcept(" \t\r"u8) < 0;

    /// <summary>Lines as bytes, so that invalid UTF-8 reaches the parser that reports it.</summary>
    public static async IAsyncEnumerable<ImportLine> ReadAsync(string path, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        var reader = PipeReader.Create(file, new(bufferSize: 1 << 16));
        for (var number = 1L; ;)
        {
            var read = await reader.ReadAsync(ct);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = buffer.Slice(0, end).ToArray();
                buffer = buffer.Slice(buffer.GetPosition(1, end));
                yield return new(number++, line, line.Length + 1);
            }
            if (read.IsCompleted)
            {
                if (!buffer.IsEmpty)
                {
                    yield return new(number, buffer.ToArray(), (int)buffer.Length);
                }
                yield break;
            }
            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }
}
