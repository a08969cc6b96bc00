using System.Buffers;
using System.Text.Json;
using FhirCore;
using FhirStore;
using FhirStore.Json;
using SchedulingOperations.Views;

namespace SchedulingOperations.Wire;

/// <summary>Writes replies in the shape a dialect asks for. Stored resources go out as the bytes they are.</summary>
internal static class Replies
{
    public static SchedulingReply Appointment(SchedulingCall call, StoredResource appointment, int status, bool asBundle, bool isReplay)
    {
        var view = appointment.Appointment();
        DateTimeOffset? until = view.Status == Rules.AppointmentStatus.Pending ? view.HoldUntil : null;
        ReadOnlyMemory<byte>? body = call.PreferReturn switch
        {
            PreferReturn.Minimal => (ReadOnlyMemory<byte>?)null,
            PreferReturn.OperationOutcome => OutcomeJson.Write([About(appointment, until)]),
            _ => asBundle ? Bundle(call, appointment, About(appointment, until)) : appointment.Json,
        };
        return new(status, body)
        {
            Location = status == 201 ? $"{call.BaseUrl}/Appointment/{appointment.Key.Id}/_history/{appointment.Version}" : null,
            Version = appointment.Version,
            LastUpdated = appointment.LastUpdated,
            Expires = until,
            IsReplay = isReplay,
        };
    }

    /// <summary>IHE's refusal: a Bundle that holds an OperationOutcome and nothing else, one issue of it fatal.</summary>
    public static SchedulingReply RefusalBundle(SchedulingCall call, FhirFailure failure)
    {
        IEnumerable<Issue> issues = failure.Issues.Any(issue => issue.Severity == IssueSeverity.Fatal)
            ? failure.Issues
            : failure.Issues.Append(new Issue(IssueSeverity.Fatal, "not-found", "The request was refused; no appointment was changed."));
        return new(failure.Status, Write(writer =>
        {
            Begin(writer, call, total: 0);
            WriteOutcomeEntry(writer, issues);
            End(writer);
        }));
    }

    /// <summary>Opens a searchset up to its entries.</summary>
    public static void Begin(Utf8JsonWriter writer, SchedulingCall call, int total, string? next = null)
    {
        writer.WriteStartObject();
        writer.WriteString("resourceType"u8, "Bundle"u8);
        writer.WriteString("type"u8, "searchset"u8);
        writer.WriteNumber("total"u8, total);
        writer.WriteStartArray("link"u8);
        WriteLink(writer, "self"u8, call.InstanceId is null
            ? $"{call.BaseUrl}/Appointment/${Name(call.Operation)}{QueryOf(call)}"
            : $"{call.BaseUrl}/Appointment/{call.InstanceId}/${Name(call.Operation)}");
        if (next is not null)
        {
            WriteLink(writer, "next"u8, next);
        }
        writer.WriteEndArray();
        writer.WriteStartArray("entry"u8);
    }

    public static void End(Utf8JsonWriter writer)
    {
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static void WriteOutcomeEntry(Utf8JsonWriter writer, IEnumerable<Issue> issues)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("resource"u8);
        writer.WriteRawValue(OutcomeJson.Write(issues), skipInputValidation: true);
        WriteMode(writer, "outcome"u8);
        writer.WriteEndObject();
    }

    public static void WriteMode(Utf8JsonWriter writer, ReadOnlySpan<byte> mode)
    {
        writer.WriteStartObject("search"u8);
        writer.WriteString("mode"u8, mode);
        writer.WriteEndObject();
    }

    public static byte[] Write(Action<Utf8JsonWriter> content)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(buffer, new() { SkipValidation = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            content(writer);
        }
        return buffer.WrittenSpan.ToArray();
    }

    public static string Name(SchedulingOperation operation) => operation switch
    {
        SchedulingOperation.Find => "find",
        SchedulingOperation.Hold => "hold",
        SchedulingOperation.Book => "book",
        SchedulingOperation.Cancel => "cancel",
        SchedulingOperation.Confirm => "confirm",
        SchedulingOperation.Reschedule => "reschedule",
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "Give the new operation its name."),
    };

    private static byte[] Bundle(SchedulingCall call, StoredResource appointment, Issue about) => Write(writer =>
    {
        Begin(writer, call, total: 1);
        writer.WriteStartObject();
        writer.WriteString("fullUrl"u8, $"{call.BaseUrl}/Appointment/{appointment.Key.Id}");
        writer.WritePropertyName("resource"u8);
        writer.WriteRawValue(appointment.Json.Span, skipInputValidation: true);
        WriteMode(writer, "match"u8);
        writer.WriteEndObject();
        WriteOutcomeEntry(writer, [about]);
        End(writer);
    });

    private static Issue About(StoredResource appointment, DateTimeOffset? until) => Issue.Information("informational", until is { } end
        ? $"Appointment/{appointment.Key.Id} is held until {InstantText.Utc(end)}."
        : $"Appointment/{appointment.Key.Id} is {Rules.AppointmentStates.Code(appointment.Appointment().Status)}.");

    private static void WriteLink(Utf8JsonWriter writer, ReadOnlySpan<byte> relation, string url)
    {
        writer.WriteStartObject();
        writer.WriteString("relation"u8, relation);
        writer.WriteString("url"u8, url);
        writer.WriteEndObject();
    }

    private static string QueryOf(SchedulingCall call) =>
        call.Query.IsDefaultOrEmpty ? "" : "?" + string.Join('&', call.Query.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}"));
}
