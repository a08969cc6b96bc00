using System.Text.Json;
using FhirCore;

namespace FhirServer.Http;

/// <summary>OperationOutcome as JSON, https://hl7.org/fhir/R4/operationoutcome.html.</summary>
internal static class OutcomeJson
{
    public static ReadOnlyMemory<byte> Write(ReadOnlySpan<Issue> issues)
    {
        var buffer = new JsonBuffer();
        var json = buffer.Json;
        json.WriteStartObject();
        json.WriteString("resourceType", "OperationOutcome");
        json.WriteStartArray("issue");
        foreach (var issue in issues)
        {
            json.WriteStartObject();
            json.WriteString("severity", issue.Severity switch { IssueSeverity.Fatal => "fatal", IssueSeverity.Error => "error", IssueSeverity.Warning => "warning", _ => "information" });
            json.WriteString("code", issue.Code);
            json.WriteString("diagnostics", issue.Diagnostics);
            if (issue.Expression is { } expression)
            {
                json.WriteStartArray("expression");
                json.WriteStringValue(expression);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        return buffer.ToBody();
    }
}
