using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirCore;

namespace FhirStore.Json;

/// <summary>Issues as an OperationOutcome, https://hl7.org/fhir/R4/operationoutcome.html.</summary>
public static class OutcomeJson
{
    /// <summary>System of the codes in <see cref="Issue.Detail"/>.</summary>
    public const string DetailSystem = "urn:fhir-server:issue";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>UTF-8 JSON. R4 wants at least one issue; none makes an <c>informational</c> one that says all is well.</returns>
    public static byte[] Write(IEnumerable<Issue> issues)
    {
        ArgumentNullException.ThrowIfNull(issues);
        var output = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(output, Options);
        json.WriteStartObject();
        json.WriteString("resourceType"u8, "OperationOutcome"u8);
        json.WriteStartArray("issue"u8);
        var count = 0;
        foreach (var issue in issues)
        {
            WriteIssue(json, issue);
            count++;
        }
        if (count == 0)
        {
            WriteIssue(json, Issue.Information("informational", "All OK."));
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static void WriteIssue(Utf8JsonWriter json, Issue issue)
    {
        json.WriteStartObject();
        json.WriteString("severity"u8, Severity(issue.Severity));
        json.WriteString("code"u8, issue.Code);
        if (issue.Detail is not null)
        {
            json.WriteStartObject("details"u8);
            json.WriteStartArray("coding"u8);
            json.WriteStartObject();
            json.WriteString("system"u8, DetailSystem);
            json.WriteString("code"u8, issue.Detail);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteString("diagnostics"u8, issue.Diagnostics);
        if (issue.Expression is not null)
        {
            json.WriteStartArray("expression"u8);
            json.WriteStringValue(issue.Expression);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static ReadOnlySpan<byte> Severity(IssueSeverity severity) => severity switch
    {
        IssueSeverity.Fatal => "fatal"u8,
        IssueSeverity.Error => "error"u8,
        IssueSeverity.Warning => "warning"u8,
        IssueSeverity.Information => "information"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(severity), severity, "Add the new severity to this table."),
    };
}
