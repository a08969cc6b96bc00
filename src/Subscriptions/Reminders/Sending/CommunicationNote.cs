using System.Text.Json.Nodes;
using FhirCore;
using FhirCore.Messages;
using Subscriptions.Reminders.People;
using Subscriptions.Reminders.Records;

namespace Subscriptions.Reminders.Sending;

/// <summary>What is written down about a message by one channel, as a Communication, https://hl7.org/fhir/R4/communication.html.</summary>
/// <param name="Channel">Null where none could be tried.</param>
/// <param name="Status"><c>completed</c>: the provider has it; <c>not-done</c>: it was never sent; <c>stopped</c>: it was sent and did not arrive; <c>unknown</c>.</param>
/// <param name="Reason">A code of <see cref="ReasonSystem"/>; null for what is completed.</param>
/// <param name="ProviderCode">As the provider calls the reason.</param>
/// <param name="Told">The time that the message spoke of.</param>
internal sealed record CommunicationNote(
    string MessageId, MessageChannelKind? Channel, string Status, string? Reason, string? ProviderCode, string? ProviderId, DateTimeOffset? Sent, DateTimeOffset? Received,
    MessageTopic Topic, string Recipient, string? Patient, string? Appointment, DateTimeOffset Told)
{
    public const string ReasonSystem = "urn:fhir-server:message-reason";
    public const string ToldTimeUrl = "urn:fhir-server:told-time";
    private const string ChannelSystem = "urn:fhir-server:message-channel";
    private const string TopicSystem = "urn:fhir-server:message-topic";

    /// <summary>One for each message and channel: a later word of the provider is another version of it.</summary>
    public ResourceKey Key => new("Communication", $"{MessageId}-{(Channel is { } channel ? Preferences.Code(channel) : "none")}");

    /// <summary>Without the text: who was told of which time, when, by which way, and what became of it.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["resourceType"] = "Communication",
            ["id"] = Key.Id,
            ["extension"] = new JsonArray(new JsonObject { ["url"] = ToldTimeUrl, ["valueDateTime"] = Instant(Told) }),
            ["identifier"] = new JsonArray(Identifier("urn:fhir-server:message", MessageId)),
            ["status"] = Status,
            ["category"] = new JsonArray(Concept("http://terminology.hl7.org/CodeSystem/communication-category", Topic == MessageTopic.Reminder ? "reminder" : "notification")),
            ["topic"] = Topic == MessageTopic.Reminder
                ? Concept("http://terminology.hl7.org/CodeSystem/communication-topic", "appointment-reminder")
                : Concept(TopicSystem, Topic.ToString().ToLowerInvariant()),
            ["recipient"] = new JsonArray(Reference(Recipient)),
        };
        if (ProviderId is not null)
        {
            json["identifier"]!.AsArray().Add(Identifier("urn:fhir-server:provider-message", ProviderId));
        }
        if (Appointment is not null)
        {
            // "about" is what it is about; by "basedOn", which says that it carries out the appointment's plan, R4 can search.
            json["about"] = new JsonArray(Reference($"Appointment/{Appointment}"));
            json["basedOn"] = new JsonArray(Reference($"Appointment/{Appointment}"));
        }
        if (Patient is not null)
        {
            json["subject"] = Reference($"Patient/{Patient}");
        }
        if (Reason is not null)
        {
            var concept = Concept(ReasonSystem, Reason);
            if (ProviderCode is not null)
            {
                concept["text"] = ProviderCode;
            }
            json["statusReason"] = concept;
        }
        if (Channel is { } medium)
        {
            json["medium"] = new JsonArray(Concept(ChannelSystem, Preferences.Code(medium)));
        }
        if (Sent is { } sent)
        {
            json["sent"] = Instant(sent);
        }
        if (Received is { } received)
        {
            json["received"] = Instant(received);
        }
        return json;
    }

    private static JsonObject Identifier(string system, string value) => new() { ["system"] = system, ["value"] = value };

    private static JsonObject Reference(string reference) => new() { ["reference"] = reference };

    private static JsonObject Concept(string system, string code) => new() { ["coding"] = new JsonArray(new JsonObject { ["system"] = system, ["code"] = code }) };

    private static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
