using System.Text;
using System.Text.Json;
using FhirCore;

namespace FhirStore.Json;

/// <summary>Says what is wrong with a body that is no JSON, without quoting it: it may hold a patient's data.</summary>
internal static class JsonSyntax
{
    public static FhirFailure Explain(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
        {
            return Failure("The body is empty; a JSON resource was expected.");
        }
        if (InvalidUtf8(body) is { } at)
        {
            return Failure($"The body is not UTF-8 at {Place(body, at)}.");
        }
        // The same reader without a limit on nesting, to tell too deep from not JSON at all. It keeps no stack.
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = int.MaxValue });
        try
        {
            while (reader.Read())
            {
                if (reader.CurrentDepth >= ResourceParser.DeepestNesting && reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                {
                    return Failure($"Objects and arrays are nested deeper than {ResourceParser.DeepestNesting} levels.");
                }
            }
        }
        catch (JsonException e)
        {
            return Failure($"The body is not well-formed JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.{Hint(body, e)}");
        }
        return Failure("The body is not well-formed JSON.");
    }

    private static FhirFailure Failure(string diagnostics) => FhirFailure.Of(FailureKind.Invalid, diagnostics, code: "structure");

    private static string Hint(ReadOnlySpan<byte> body, JsonException e)
    {
        var at = Offset(body, e.LineNumber ?? 0, e.BytePositionInLine ?? 0);
        if (at >= body.Length)
        {
            return " It ends before the resource does.";
        }
        var before = body[..at].TrimEnd(" \t\r\n"u8);
        return body[at] switch
        {
            (byte)'/' => " JSON has no comments.",
            (byte)'}' or (byte)']' when before.EndsWith(","u8) => " A comma stands before the closing bracket.",
            (byte)'\'' => " JSON's strings stand in double quotes.",
            0 => " A NUL byte stands there.",
            < 0x20 => " A control character stands there; inside a string it must be escaped.",
            _ => "",
        };
    }

    private static int Offset(ReadOnlySpan<byte> body, long line, long byteInLine)
    {
        var at = 0;
        for (; line > 0; line--)
        {
            at += body[at..].IndexOf((byte)'\n') + 1;
        }
        return (int)Math.Min(body.Length, at + byteInLine);
    }

    private static string Place(ReadOnlySpan<byte> body, int at)
    {
        var before = body[..at];
        return $"line {before.Count((byte)'\n') + 1}, byte {at - before.LastIndexOf((byte)'\n')}";
    }

    private static int? InvalidUtf8(ReadOnlySpan<byte> body)
    {
        for (var at = 0; at < body.Length;)
        {
            if (Rune.DecodeFromUtf8(body[at..], out _, out var length) != System.Buffers.OperationStatus.Done)
            {
                return at;
            }
            at += length;
        }
        return null;
    }
}
