using System.Text.Json;
using FhirCore;

namespace FhirServer.Bundles;

/// <summary>
/// Cuts a Bundle into its entries in one pass, without building a document: resources stay the bytes they are and are parsed
/// one by one.
/// </summary>
internal sealed class BundleReader
{
    private const int MostIssues = 100;
    internal const int MaxDepth = 256;

    private readonly ReadOnlyMemory<byte> _utf8;
    private readonly int _mostEntries;
    private readonly List<Issue> _issues = [];
    private readonly List<IncomingEntry> _entries = [];
    private string? _resourceType;
    private string? _type;
    private bool _tooMany;

    private BundleReader(ReadOnlyMemory<byte> utf8, int mostEntries)
    {
        _utf8 = utf8;
        _mostEntries = mostEntries;
    }

    public static Outcome<IncomingBundle> Read(ReadOnlyMemory<byte> utf8, int mostEntries) => new BundleReader(utf8, mostEntries).Read();

    private Outcome<IncomingBundle> Read()
    {
        try
        {
            ReadBundle();
        }
        catch (JsonException error)
        {
            return FhirFailure.Of(FailureKind.Invalid,
                $"The body is not well-formed JSON, near line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}, or nested deeper than {MaxDepth} levels.", code: "structure");
        }
        catch (InvalidOperationException)
        {
            // Utf8JsonReader says so of strings that are no valid UTF-8 or escape half a surrogate pair.
            return FhirFailure.Of(FailureKind.Invalid, "A string of the Bundle is not valid UTF-8.", code: "structure");
        }
        if (_resourceType is not "Bundle")
        {
            return FhirFailure.Of(FailureKind.Invalid, "POST to the base takes a Bundle; a resource is created by POST to [base]/[type].", "Bundle", "structure");
        }
        if (_type is not ("batch" or "transaction"))
        {
            Report(Issue.Error("value", "The type of a Bundle sent to the base is 'batch' or 'transaction'.", "Bundle.type"));
        }
        if (_tooMany)
        {
            return FhirFailure.Of(FailureKind.TooLarge, $"A Bundle may have {_mostEntries} entries; send several.", "Bundle.entry");
        }
        return _issues.Count > 0
            ? new FhirFailure(FailureKind.Invalid, [.. _issues])
            : new IncomingBundle(_type == "transaction", _entries);
    }

    private void ReadBundle()
    {
        var reader = new Utf8JsonReader(_utf8.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return;
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!seen.Add(name))
            {
                Report(Issue.Error("structure", "The same property stands twice.", $"Bundle.{name}"));
            }
            reader.Read();
            switch (name)
            {
                case "resourceType":
                    _resourceType = Text(ref reader, "Bundle.resourceType");
                    break;
                case "type":
                    _type = Text(ref reader, "Bundle.type");
                    break;
                case "entry":
                    ReadEntries(ref reader);
                    break;
                case "id" or "meta" or "implicitRules" or "language" or "identifier" or "timestamp" or "total" or "link" or "signature"
                    or "_type" or "_timestamp" or "_id" or "_language" or "_implicitRules" or "_total":
                    reader.Skip();
                    break;
                default:
                    Report(Issue.Error("structure", "A Bundle has no such element.", $"Bundle.{Safe(name)}"));
                    reader.Skip();
                    break;
            }
        }
        // Anything but white space after the object is an error, which the reader reports itself.
        while (reader.Read())
        {
        }
    }

    private void ReadEntries(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            Report(Issue.Error("structure", "An array was expected.", "Bundle.entry"));
            reader.Skip();
            return;
        }
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var index = _entries.Count;
            if (index == _mostEntries)
            {
                _tooMany = true;
                reader.Skip();
                continue;
            }
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                Report(Issue.Error("structure", "An object was expected.", $"Bundle.entry[{index}]"));
                reader.Skip();
                _entries.Add(new(index, null, default, new()));
                continue;
            }
            _entries.Add(ReadEntry(ref reader, index));
        }
    }

    private IncomingEntry ReadEntry(ref Utf8JsonReader reader, int index)
    {
        string? fullUrl = null;
        var resource = default(ReadOnlyMemory<byte>);
        EntryRequest? request = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "fullUrl":
                    fullUrl = Text(ref reader, $"Bundle.entry[{index}].fullUrl");
                    break;
                case "resource":
                    var start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    resource = _utf8[start..(int)reader.BytesConsumed];
                    break;
                case "request":
                    request = ReadRequest(ref reader, index);
                    break;
                case "id" or "extension" or "modifierExtension" or "link" or "search" or "response" or "_fullUrl":
                    reader.Skip();
                    break;
                default:
                    Report(Issue.Error("structure", "A Bundle entry has no such element.", $"Bundle.entry[{index}].{Safe(name)}"));
                    reader.Skip();
                    break;
            }
        }
        if (request is null)
        {
            Report(Issue.Error("required", "Every entry of a batch or transaction has a request.", $"Bundle.entry[{index}].request"));
        }
        return new(index, fullUrl, resource, request ?? new());
    }

    private EntryRequest ReadRequest(ref Utf8JsonReader reader, int index)
    {
        var request = new EntryRequest();
        var path = $"Bundle.entry[{index}].request";
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            Report(Issue.Error("structure", "An object was expected.", path));
            reader.Skip();
            return request;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "method":
                    request.Method = Text(ref reader, $"{path}.method");
                    break;
                case "url":
                    request.Url = Text(ref reader, $"{path}.url");
                    break;
                case "ifMatch":
                    request.IfMatch = Text(ref reader, $"{path}.ifMatch");
                    break;
                case "ifNoneMatch":
                    request.IfNoneMatch = Text(ref reader, $"{path}.ifNoneMatch");
                    break;
                case "ifModifiedSince":
                    request.IfModifiedSince = Text(ref reader, $"{path}.ifModifiedSince");
                    break;
                case "ifNoneExist":
                    request.IfNoneExist = Text(ref reader, $"{path}.ifNoneExist");
                    break;
                case "id" or "extension" or "modifierExtension" or "_method" or "_url" or "_ifMatch" or "_ifNoneMatch" or "_ifModifiedSince" or "_ifNoneExist":
                    reader.Skip();
                    break;
                default:
                    Report(Issue.Error("structure", "The request of an entry has no such element.", $"{path}.{Safe(name)}"));
                    reader.Skip();
                    break;
            }
        }
        if (request.Method is not ("GET" or "HEAD" or "POST" or "PUT" or "DELETE" or "PATCH"))
        {
            Report(Issue.Error(request.Method.Length == 0 ? "required" : "value", "The method is one of GET, HEAD, POST, PUT, DELETE, PATCH.", $"{path}.method"));
        }
        if (request.Url.Length == 0 && request.Method != "POST")
        {
            Report(Issue.Error("required", "The request of an entry has a url.", $"{path}.url"));
        }
        return request;
    }

    private string Text(ref Utf8JsonReader reader, string path)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.GetString()!;
        }
        Report(Issue.Error("structure", "A string was expected.", path));
        reader.Skip();
        return "";
    }

    private void Report(Issue issue)
    {
        if (_issues.Count < MostIssues)
        {
            _issues.Add(issue);
        }
    }

    /// <summary>A name from outside goes into an expression only when it looks like one.</summary>
    private static string Safe(string name) => name.Length <= 64 && name.All(char.IsAsciiLetterOrDigit) ? name : "(unknown)";
}
