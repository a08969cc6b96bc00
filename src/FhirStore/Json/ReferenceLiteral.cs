using System.Buffers;
using FhirStore.Model;

namespace FhirStore.Json;

internal enum ReferenceForm : byte
{
    Wrong,
    /// <summary>Names a resource type that R4 does not have.</summary>
    UnknownType,
    /// <summary><c>#id</c>, or <c>#</c> for the resource that contains this one.</summary>
    Contained,
    /// <summary><c>Type/id</c> or <c>Type/id/_history/version</c>, also below an http(s) base.</summary>
    Resource,
    /// <summary><c>Type?criteria</c>, for the entries of a transaction only.</summary>
    Conditional,
    /// <summary>Any other absolute URI.</summary>
    Other,
}

/// <summary>The text of <c>Reference.reference</c>, https://hl7.org/fhir/R4/references.html#literal.</summary>
internal static class ReferenceLiteral
{
    private static readonly SearchValues<byte> Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <param name="type">The resource type it names, if it names one.</param>
    public static ReferenceForm Read(ReadOnlySpan<byte> text, out string? type)
    {
        type = null;
        if (text.IsEmpty || text.ContainsAny(" \t\r\n"u8))
        {
            return ReferenceForm.Wrong;
        }
        if (text[0] == (byte)'#')
        {
            return ReferenceForm.Contained;
        }
        var colon = text.IndexOfAny((byte)':', (byte)'/', (byte)'?');
        return colon > 0 && text[colon] == (byte)':' ? ReadAbsolute(text, colon, out type) : ReadRelative(text, out type);
    }

    private static ReferenceForm ReadAbsolute(ReadOnlySpan<byte> text, int colon, out string? type)
    {
        type = null;
        if (!IsScheme(text[..colon]) || text.Length == colon + 1)
        {
            return ReferenceForm.Wrong;
        }
        if (text.StartsWith("http"u8) && text[colon..].StartsWith("://"u8))
        {
            // Of an absolute URL only the tail can tell that it is a resource's: [base]/Type/id, perhaps with a version.
            var path = text[(colon + 3)..];
            if (path.IndexOf("/_history/"u8) is var history and > 0)
            {
                path = path[..history];
            }
            if (path.LastIndexOf((byte)'/') is var beforeId and > 0 && path[..beforeId].LastIndexOf((byte)'/') is var beforeType and > 0 &&
                PrimitiveFormats.Wrong(PrimitiveKind.Id, path[(beforeId + 1)..]) is null)
            {
                type = R4Model.ResourceType(path[(beforeType + 1)..beforeId]);
            }
        }
        return type is null ? ReferenceForm.Other : ReferenceForm.Resource;
    }

    private static ReferenceForm ReadRelative(ReadOnlySpan<byte> text, out string? type)
    {
        type = null;
        var end = text.IndexOfAny((byte)'/', (byte)'?');
        if (end <= 0)
        {
            return ReferenceForm.Wrong;
        }
        type = R4Model.ResourceType(text[..end]);
        if (type is null)
        {
            return text[..end].ContainsAnyExcept(Letters) ? ReferenceForm.Wrong : ReferenceForm.UnknownType;
        }
        var rest = text[(end + 1)..];
        if (text[end] == (byte)'?')
        {
            return rest.IsEmpty ? ReferenceForm.Wrong : ReferenceForm.Conditional;
        }
        var history = rest.IndexOf("/_history/"u8);
        var id = history < 0 ? rest : rest[..history];
        return IsId(id) && (history < 0 || IsId(rest[(history + 10)..])) ? ReferenceForm.Resource : ReferenceForm.Wrong;
    }

    private static bool IsId(ReadOnlySpan<byte> text) => !text.IsEmpty && PrimitiveFormats.Wrong(PrimitiveKind.Id, text) is null;

    private static bool IsScheme(ReadOnlySpan<byte> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'+' or (byte)'-' or (byte)'.'))
            {
                return false;
            }
        }
        return char.IsAsciiLetter((char)text[0]);
    }
}
