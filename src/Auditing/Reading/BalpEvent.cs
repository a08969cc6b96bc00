using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Auditing.Entries;

namespace Auditing.Reading;

/// <summary>An entry as the AuditEvent that clients get, https://hl7.org/fhir/R4/auditevent.html, after IHE's Basic Audit Log Patterns.</summary>
internal static class BalpEvent
{
    private const string IpAddress = "2";
    private const string MachineName = "1";

    private static readonly JsonWriterOptions Options = new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ReadOnlyMemory<byte> Write(string id, AuditEntry entry, AuditSource source)
    {
        var bytes = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "AuditEvent");
            json.WriteString("id", id);
            WriteMeta(json, entry);
            WriteCoding(json, "type", BalpCodes.TypeOf(entry));
            if (BalpCodes.SubtypesOf(entry) is { Length: > 0 } subtypes)
            {
                json.WriteStartArray("subtype");
                foreach (var subtype in subtypes)
                {
                    WriteCoding(json, null, subtype);
                }
                json.WriteEndArray();
            }
            json.WriteString("action", BalpCodes.ActionOf(entry));
            json.WriteStartObject("period");
            json.WriteString("start", Instant(entry.At - entry.Took));
            json.WriteString("end", Instant(entry.At));
            json.WriteEndObject();
            json.WriteString("recorded", Instant(entry.At));
            json.WriteString("outcome", BalpCodes.OutcomeOf(entry));
            if (OutcomeText(entry) is { } text)
            {
                json.WriteString("outcomeDesc", text);
            }
            WriteReason(json, entry);
            WriteAgents(json, entry, source);
            WriteSource(json, source);
            WriteEntities(json, entry);
            json.WriteEndObject();
        }
        return bytes.WrittenMemory;
    }

    private static void WriteMeta(Utf8JsonWriter json, AuditEntry entry)
    {
        json.WriteStartObject("meta");
        json.WriteString("versionId", "1");
        json.WriteString("lastUpdated", Instant(entry.At));
        if (BalpCodes.ProfileOf(entry) is { } profile)
        {
            json.WriteStartArray("profile");
            json.WriteStringValue(profile);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static string? OutcomeText(AuditEntry entry) => entry.Kind switch
    {
        AuditKind.Access when entry.IsFailure => string.Create(CultureInfo.InvariantCulture, $"HTTP {entry.Status}{(entry.Issue is null ? "" : " ")}{entry.Issue}"),
        AuditKind.Security when !string.IsNullOrWhiteSpace(entry.Issue) => entry.Issue,
        _ => null,
    };

    private static void WriteReason(Utf8JsonWriter json, AuditEntry entry)
    {
        if (entry.Reason is not { } reason || string.IsNullOrWhiteSpace(reason))
        {
            return;
        }
        json.WriteStartArray("purposeOfEvent");
        json.WriteStartObject();
        json.WriteStartArray("coding");
        WriteCoding(json, null, BalpCodes.BreakTheGlass);
        json.WriteEndArray();
        json.WriteString("text", reason);
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void WriteAgents(Utf8JsonWriter json, AuditEntry entry, AuditSource source)
    {
        var (client, server, user) = BalpCodes.AgentsOf(entry);
        var hasUser = entry.AccountId is not null || entry.FhirUser is not null;
        json.WriteStartArray("agent");
        if (entry.Kind != AuditKind.Links)
        {
            StartAgent(json, client);
            json.WriteStartObject("who");
            WriteIdentifier(json, entry.ClientId);
            json.WriteEndObject();
            json.WriteBoolean("requestor", !hasUser);
            if (entry.Address is { } address)
            {
                WriteNetwork(json, address.ToString(), IpAddress);
            }
            json.WriteEndObject();
        }
        StartAgent(json, entry.Kind == AuditKind.Links ? BalpCodes.Application : server);
        json.WriteStartObject("who");
        WriteIdentifier(json, source.Url);
        json.WriteEndObject();
        json.WriteBoolean("requestor", entry.Kind == AuditKind.Links);
        WriteNetwork(json, source.Site, MachineName);
        json.WriteEndObject();
        if (hasUser)
        {
            StartAgent(json, user);
            json.WriteStartObject("who");
            if (entry.FhirUser is { } who)
            {
                json.WriteString("reference", who.ToString());
            }
            WriteIdentifier(json, entry.AccountId);
            json.WriteEndObject();
            json.WriteBoolean("requestor", true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void StartAgent(Utf8JsonWriter json, Coding type)
    {
        json.WriteStartObject();
        json.WriteStartObject("type");
        json.WriteStartArray("coding");
        WriteCoding(json, null, type);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteNetwork(Utf8JsonWriter json, string address, string type)
    {
        json.WriteStartObject("network");
        json.WriteString("address", address);
        json.WriteString("type", type);
        json.WriteEndObject();
    }

    private static void WriteSource(Utf8JsonWriter json, AuditSource source)
    {
        json.WriteStartObject("source");
        json.WriteString("site", source.Site);
        json.WriteStartObject("observer");
        WriteIdentifier(json, source.Url);
        json.WriteEndObject();
        json.WriteStartArray("type");
        WriteCoding(json, null, BalpCodes.ApplicationServer);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteEntities(Utf8JsonWriter json, AuditEntry entry)
    {
        var isQuery = entry.Interaction == AuditInteraction.Search || entry.Query is not null;
        if (entry.Patients.Count == 0 && entry.Id is null && entry.RequestId is null && !isQuery && entry.Links.Count == 0)
        {
            return;
        }
        json.WriteStartArray("entity");
        foreach (var patient in entry.Patients)
        {
            StartEntity(json, "Patient/" + patient, BalpCodes.Person, BalpCodes.Patient);
            json.WriteEndObject();
        }
        if (entry is { Type: { } type, Id: { } id })
        {
            var version = entry.Version > 0 ? string.Create(CultureInfo.InvariantCulture, $"/_history/{entry.Version}") : "";
            StartEntity(json, $"{type}/{id}{version}", BalpCodes.SystemObject, BalpCodes.DomainResource);
            json.WriteEndObject();
        }
        else if (entry.Id is { } about)
        {
            json.WriteStartObject(); // an account or an app: no resource
            json.WriteStartObject("what");
            WriteIdentifier(json, about);
            json.WriteEndObject();
            WriteCoding(json, "type", BalpCodes.SystemObject);
            json.WriteEndObject();
        }
        if (isQuery)
        {
            var query = $"{entry.Type}{(entry.Operation is null || entry.Type is null ? "" : "/")}{entry.Operation}{entry.Query}";
            StartEntity(json, null, BalpCodes.SystemObject, BalpCodes.Query);
            json.WriteBase64String("query", Encoding.UTF8.GetBytes(query.Length == 0 ? "?" : query));
            json.WriteEndObject();
        }
        if (entry.RequestId is { } request)
        {
            json.WriteStartObject();
            json.WriteStartObject("what");
            WriteIdentifier(json, request);
            json.WriteEndObject();
            WriteCoding(json, "type", BalpCodes.RequestId);
            json.WriteEndObject();
        }
        foreach (var link in entry.Links)
        {
            WriteLink(json, link);
        }
        json.WriteEndArray();
    }

    private static void StartEntity(Utf8JsonWriter json, string? reference, Coding type, Coding role)
    {
        json.WriteStartObject();
        if (reference is not null)
        {
            json.WriteStartObject("what");
            json.WriteString("reference", reference);
            json.WriteEndObject();
        }
        WriteCoding(json, "type", type);
        WriteCoding(json, "role", role);
    }

    private static void WriteLink(Utf8JsonWriter json, ChainLink link)
    {
        json.WriteStartObject();
        json.WriteStartObject("what");
        WriteIdentifier(json, link.Chain);
        json.WriteEndObject();
        WriteCoding(json, "type", BalpCodes.SystemObject);
        json.WriteStartArray("detail");
        json.WriteStartObject();
        json.WriteString("type", "blocks");
        json.WriteString("valueString", link.Blocks.ToString(CultureInfo.InvariantCulture));
        json.WriteEndObject();
        json.WriteStartObject();
        json.WriteString("type", "sha256");
        json.WriteString("valueString", Convert.ToHexStringLower(link.Hash.Span));
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteIdentifier(Utf8JsonWriter json, string? value)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            json.WriteString("display", "unknown");
            return;
        }
        json.WriteStartObject("identifier");
        json.WriteString("value", value);
        json.WriteEndObject();
    }

    private static void WriteCoding(Utf8JsonWriter json, string? name, Coding coding)
    {
        if (name is null)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartObject(name);
        }
        json.WriteString("system", coding.System);
        json.WriteString("code", coding.Code);
        json.WriteString("display", coding.Display);
        json.WriteEndObject();
    }

    private static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
}
