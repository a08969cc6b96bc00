using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using FhirCore;
using Subscriptions.Definitions;
using Subscriptions.Feeds;
using Subscriptions.Topics;

namespace Subscriptions.Delivery;

/// <summary>https://hl7.org/fhir/R5/valueset-subscription-notification-type.html</summary>
public enum NotificationType
{
    Handshake,
    Heartbeat,
    EventNotification,
    QueryStatus,
    QueryEvent,
}

/// <summary>What a notification says.</summary>
public sealed record Notification
{
    public required NotificationType Type { get; init; }

    /// <summary>Id of the Subscription.</summary>
    public required string Subscription { get; init; }

    public required SubscriptionStatus Status { get; init; }

    /// <summary>Canonical url of the topic; null where it is not told, and for R4's own criteria.</summary>
    public string? Topic { get; init; }

    public required ContentLevel Content { get; init; }

    /// <summary>Number of the last event there has been, told or not.</summary>
    public required long Total { get; init; }

    public IReadOnlyList<ToldEvent> Events { get; init; } = [];

    /// <summary>What is wrong with the subscription.</summary>
    public IReadOnlyList<NotificationError> Errors { get; init; } = [];

    /// <summary>The same for the same events of the same feed.</summary>
    public required string Id { get; init; }
}

/// <param name="Code">Of http://terminology.hl7.org/CodeSystem/subscription-error; null where it has none that fits.</param>
public sealed record NotificationError(string? Code, string Text);

/// <summary>
/// The Bundle that carries a notification, https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html, and the Parameters of
/// a status. Stored resources are spliced in as the bytes they are.
/// </summary>
/// <param name="baseUrl">The FHIR base, without a slash at the end.</param>
public sealed class NotificationBundle(string baseUrl, TimeProvider clock)
{
    private const string ErrorCodes = "http://terminology.hl7.org/CodeSystem/subscription-error";
    private const string DataAbsentReason = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

    private static readonly JsonWriterOptions Options = new() { SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 1_000 };

    public byte[] Write(Notification notification)
    {
        ArgumentNullException.ThrowIfNull(notification);
        var bytes = new ArrayBufferWriter<byte>(1_024 + notification.Events.Sum(told => 400 + (told.Resource?.Json.Length ?? 0) + told.Context.Sum(context => context.Resource?.Json.Length ?? 0)));
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "Bundle");
            json.WriteString("id", notification.Id);
            json.WriteStartObject("meta");
            WriteProfile(json, Backport.NotificationProfile);
            json.WriteEndObject();
            json.WriteString("type", "history");
            json.WriteString("timestamp", Instant(clock.GetUtcNow()));
            json.WriteStartArray("entry");
            WriteStatusEntry(json, notification);
            if (notification.Content == ContentLevel.FullResource)
            {
                WriteResources(json, notification.Events);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>A searchset of statuses: the answer of <c>$status</c>.</summary>
    public byte[] WriteStatuses(IReadOnlyList<Notification> statuses, string selfLink)
    {
        ArgumentNullException.ThrowIfNull(statuses);
        var bytes = new ArrayBufferWriter<byte>(512 * (1 + statuses.Count));
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "Bundle");
            json.WriteString("type", "searchset");
            json.WriteNumber("total", statuses.Count);
            json.WriteStartArray("link");
            json.WriteStartObject();
            json.WriteString("relation", "self");
            json.WriteString("url", selfLink);
            json.WriteEndObject();
            json.WriteEndArray();
            if (statuses.Count > 0)
            {
                json.WriteStartArray("entry");
                foreach (var status in statuses)
                {
                    json.WriteStartObject();
                    WriteParameters(json, status);
                    json.WriteStartObject("search");
                    json.WriteString("mode", "match");
                    json.WriteEndObject();
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return bytes.WrittenSpan.ToArray();
    }

    private void WriteStatusEntry(Utf8JsonWriter json, Notification notification)
    {
        json.WriteStartObject();
        WriteParameters(json, notification);
        json.WriteStartObject("request");
        json.WriteString("method", "GET");
        json.WriteString("url", $"{baseUrl}/Subscription/{notification.Subscription}/$status");
        json.WriteEndObject();
        json.WriteStartObject("response");
        json.WriteString("status", "200");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription-status-r4.html</summary>
    private void WriteParameters(Utf8JsonWriter json, Notification notification)
    {
        var id = UuidOf($"{notification.Id} {notification.Type} {notification.Status} {notification.Total}");
        json.WriteString("fullUrl", $"urn:uuid:{id}");
        json.WriteStartObject("resource");
        json.WriteString("resourceType", "Parameters");
        json.WriteString("id", id);
        json.WriteStartObject("meta");
        WriteProfile(json, Backport.StatusProfile);
        json.WriteEndObject();
        json.WriteStartArray("parameter");
        WriteReference(json, "subscription", new("Subscription", notification.Subscription));
        if (notification.Topic is { } topic && notification.Content != ContentLevel.Empty)
        {
            WriteParameter(json, "topic", "valueCanonical", topic);
        }
        WriteParameter(json, "status", "valueCode", DefinitionReader.CodeOf(notification.Status));
        WriteParameter(json, "type", "valueCode", CodeOf(notification.Type));
        WriteParameter(json, "events-since-subscription-start", "valueString", Number(notification.Total));
        foreach (var told in notification.Events)
        {
            WriteEvent(json, notification.Content, told);
        }
        foreach (var error in notification.Errors)
        {
            WriteError(json, error);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteEvent(Utf8JsonWriter json, ContentLevel content, ToldEvent told)
    {
        json.WriteStartObject();
        json.WriteString("name", "notification-event");
        json.WriteStartArray("part");
        WriteParameter(json, "event-number", "valueString", Number(told.Number));
        WriteParameter(json, "timestamp", "valueInstant", Instant(told.Event.At));
        if (content != ContentLevel.Empty)
        {
            if (told.IsWithheld)
            {
                WriteWithheld(json);
            }
            else
            {
                WriteReference(json, "focus", told.Event.Key);
                foreach (var context in told.Context)
                {
                    WriteReference(json, "additional-context", context.Key);
                }
            }
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteResources(Utf8JsonWriter json, IReadOnlyList<ToldEvent> events)
    {
        var included = new HashSet<ResourceKey>();
        foreach (var told in events.Where(told => !told.IsWithheld))
        {
            var key = told.Event.Key;
            json.WriteStartObject();
            json.WriteString("fullUrl", $"{baseUrl}/{key}");
            if (told.Resource is { } resource)
            {
                json.WritePropertyName("resource");
                json.WriteRawValue(resource.Json.Span, skipInputValidation: true);
            }
            var (method, url, status) = told.Event.How switch
            {
                ResourceInteraction.Create => ("POST", key.Type, "201"),
                ResourceInteraction.Delete => ("DELETE", key.ToString(), "204"),
                _ => ("PUT", key.ToString(), "200"),
            };
            WriteRequest(json, method, url, status, told.Event.Version, told.Event.At);
            json.WriteEndObject();
        }
        foreach (var context in events.SelectMany(told => told.Context).Where(context => context.Resource is not null && included.Add(context.Key)))
        {
            json.WriteStartObject();
            json.WriteString("fullUrl", $"{baseUrl}/{context.Key}");
            json.WritePropertyName("resource");
            json.WriteRawValue(context.Resource!.Json.Span, skipInputValidation: true);
            WriteRequest(json, "GET", context.Key.ToString(), "200", context.Resource.Version, context.Resource.LastUpdated);
            json.WriteEndObject();
        }
    }

    private static void WriteRequest(Utf8JsonWriter json, string method, string url, string status, long version, DateTimeOffset at)
    {
        json.WriteStartObject("request");
        json.WriteString("method", method);
        json.WriteString("url", url);
        json.WriteEndObject();
        json.WriteStartObject("response");
        json.WriteString("status", status);
        json.WriteString("etag", string.Create(CultureInfo.InvariantCulture, $"W/\"{version}\""));
        json.WriteString("lastModified", Instant(at));
        json.WriteEndObject();
    }

    private static void WriteError(Utf8JsonWriter json, NotificationError error)
    {
        json.WriteStartObject();
        json.WriteString("name", "error");
        json.WriteStartObject("valueCodeableConcept");
        if (error.Code is { } code)
        {
            json.WriteStartArray("coding");
            json.WriteStartObject();
            json.WriteString("system", ErrorCodes);
            json.WriteString("code", code);
            json.WriteEndObject();
            json.WriteEndArray();
        }
        json.WriteString("text", error.Text);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteReference(Utf8JsonWriter json, string name, ResourceKey key)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartObject("valueReference");
        json.WriteString("reference", $"{baseUrl}/{key}");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteWithheld(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("name", "focus");
        json.WriteStartObject("valueReference");
        json.WriteStartArray("extension");
        json.WriteStartObject();
        json.WriteString("url", DataAbsentReason);
        json.WriteString("valueCode", "masked");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteParameter(Utf8JsonWriter json, string name, string type, string value)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString(type, value);
        json.WriteEndObject();
    }

    private static void WriteProfile(Utf8JsonWriter json, string profile)
    {
        json.WriteStartArray("profile");
        json.WriteStringValue(profile);
        json.WriteEndArray();
    }

    /// <summary>The same id for the same words, so that a repetition is the same Bundle.</summary>
    private static string UuidOf(string words)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(words)).AsSpan(0, 16);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80); // RFC 9562, version 8: made as we like
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash, bigEndian: true).ToString();
    }

    private static string CodeOf(NotificationType type) => type switch
    {
        NotificationType.Handshake => "handshake",
        NotificationType.Heartbeat => "heartbeat",
        NotificationType.EventNotification => "event-notification",
        NotificationType.QueryStatus => "query-status",
        NotificationType.QueryEvent => "query-event",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Say here how the new type is written."),
    };

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
