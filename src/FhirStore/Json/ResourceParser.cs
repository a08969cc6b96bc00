using System.Text.Json;
using System.Text.Unicode;
using FhirCore;

namespace FhirStore.Json;

/// <summary>Strict JSON and R4's structure in one pass; every problem found is reported, with its FHIRPath expression.</summary>
public static class ResourceParser
{
    /// <summary>Nesting of JSON objects and arrays; R4 itself sets no limit, and real resources stay under 30.</summary>
    internal const int DeepestNesting = 64;

    private static readonly JsonDocumentOptions Strict = new()
    {
        MaxDepth = DeepestNesting,
        CommentHandling = JsonCommentHandling.Disallow,
        AllowTrailingCommas = false,
        // The walk finds repeated properties itself, and can say where.
        AllowDuplicateProperties = true,
    };

    /// <param name="utf8">The body as it came.</param>
    /// <param name="expectedType">The type the URL names; another type in the body is an error. Null takes any.</param>
    /// <param name="inTransaction">The resource is an entry of a transaction: it may refer by <c>Type?criteria</c>.</param>
    public static Outcome<ParsedResource> Parse(ReadOnlyMemory<byte> utf8, string? expectedType, bool inTransaction = false)
    {
        var body = utf8.Span;
        if (body.StartsWith("\uFEFF"u8))
        {
            body = body[3..];
        }
        if (!Utf8.IsValid(body) || body.IsEmpty)
        {
            return JsonSyntax.Explain(body);
        }
        JsonElement root;
        try
        {
            root = JsonElement.Parse(body, Strict);
        }
        catch (JsonException)
        {
            return JsonSyntax.Explain(body);
        }
        var check = new StructureCheck();
        var resource = check.Run(root, expectedType, inTransaction);
        return resource is null ? new FhirFailure(FailureKind.Invalid, check.Issues) : resource;
    }
}
