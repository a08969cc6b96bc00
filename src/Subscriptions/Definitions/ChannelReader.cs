using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirCore.Outbound;
using Subscriptions.Json;

namespace Subscriptions.Definitions;

/// <summary>Which channels this server offers, and what it needs to know to judge their endpoints.</summary>
/// <param name="Guard">Where a rest-hook may lead.</param>
/// <param name="WebSocketUrl">Where websockets are.</param>
/// <param name="Email">E-mail can be sent.</param>
/// <param name="Stream">There is a stream to publish to.</param>
public sealed record ChannelOffer(OutboundGuard Guard, string WebSocketUrl, bool Email, bool Stream);

/// <summary>A channel as the Subscription asks for it.</summary>
internal sealed record ChannelRequest(ChannelKind Kind, string? Endpoint, string? Payload, ContentLevel? Content, TimeSpan? Heartbeat, TimeSpan? Timeout, int? MaxCount);

/// <summary>
/// Reads <c>Subscription.channel</c>: what kind it is, where it leads, what may be sent over it. What this server would not do is refused,
/// https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html.
/// </summary>
internal sealed class ChannelReader(ChannelOffer offer, SubscriptionOptions options)
{
    private const string At = "Subscription.channel";
    private const string StandardChannelTypes = "http://terminology.hl7.org/CodeSystem/subscription-channel-type";
    private static readonly string[] JsonTypes = ["application/fhir+json", "application/json"];
    private static readonly string[] Versions = ["4.0", "4.0.0", "4.0.1"];

    /// <param name="byTopic">Of R4's own criteria, nothing of the backport may be asked for.</param>
    public Outcome<ChannelRequest> Read(JsonElement channel, bool byTopic)
    {
        if (!KindOf(channel).TryGet(out var kind, out var failure)
            || !EndpointOf(kind, channel.Text("endpoint")).TryGet(out var endpoint, out failure) && failure is not null)
        {
            return failure;
        }
        var payload = channel.Text("payload");
        if (CheckPayload(kind, payload, byTopic, options) is { } wrongPayload)
        {
            return wrongPayload;
        }
        if (!ContentOf(kind, channel, byTopic).TryGet(out var content, out failure) && failure is not null)
        {
            return failure;
        }
        if (!SecondsOf(channel, Backport.HeartbeatPeriod, byTopic).TryGet(out var heartbeat, out failure) && failure is not null)
        {
            return failure;
        }
        if (heartbeat is { } period && (kind is ChannelKind.Email || period < options.LeastHeartbeat))
        {
            return Refuse(kind is ChannelKind.Email ? "No heartbeats are sent by e-mail." : $"A heartbeat-period is {options.LeastHeartbeat.TotalSeconds} seconds or more.", At + ".extension", "value");
        }
        if (!SecondsOf(channel, Backport.Timeout, allowed: true).TryGet(out var timeout, out failure) && failure is not null)
        {
            return failure;
        }
        var counts = ((JsonElement?)channel).Extensions(Backport.MaxCount).Select(JsonView.ValueOf).ToArray();
        int? most = null;
        if (counts.Length > 0)
        {
            if (!byTopic || counts is not [{ } number] || !number.TryGetInt32(out var count) || count < 1)
            {
                return Refuse(byTopic ? "max-count is one positive integer." : NeedsTopic("backport-max-count"), At + ".extension", "value");
            }
            most = count;
        }
        return new ChannelRequest(kind, endpoint, payload, content, heartbeat, timeout, most);
    }

    private Outcome<ChannelKind> KindOf(JsonElement channel)
    {
        foreach (var custom in channel.Member("_type").Extensions(Backport.ChannelType))
        {
            var coding = custom.ValueOf() is { ValueKind: JsonValueKind.Object } value ? value : default;
            return (coding.Text("system"), coding.Text("code")) switch
            {
                (Backport.OwnChannelTypes, Backport.Kafka) => offer.Stream
                    ? ChannelKind.Stream
                    : Refuse("The channel type kafka needs Kafka, which this server runs without.", At + ".type.extension", "not-supported"),
                (StandardChannelTypes, { } code) => KindOf(code),
                _ => Refuse($"This server has no such channel type; it has rest-hook, websocket, email and, in {Backport.OwnChannelTypes}, kafka.", At + ".type.extension", "not-supported"),
            };
        }
        return KindOf(channel.Text("type"));
    }

    private Outcome<ChannelKind> KindOf(string? code) => code switch
    {
        "rest-hook" => ChannelKind.RestHook,
        "websocket" => ChannelKind.WebSocket,
        "email" => offer.Email ? ChannelKind.Email : Refuse("The channel type email needs a mail server, which this server runs without.", At + ".type", "not-supported"),
        "message" => Refuse("The channel type message is not offered: FHIR messages would reach the receiver as whole resources in another envelope. Use rest-hook.", At + ".type", "not-supported"),
        "sms" => Refuse("The channel type sms is not offered: a text message has no room for a notification. Use rest-hook, websocket or email.", At + ".type", "not-supported"),
        _ => Refuse("The channel type is rest-hook, websocket or email.", At + ".type", "value"),
    };

    private Outcome<string?> EndpointOf(ChannelKind kind, string? endpoint)
    {
        const string at = At + ".endpoint";
        switch (kind)
        {
            case ChannelKind.RestHook:
                if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var url))
                {
                    return Refuse("A rest-hook needs an endpoint: an absolute https address.", at, "required");
                }
                return offer.Guard.Refuse(url) is { } why ? Refuse($"The endpoint of a rest-hook {why}.", at, "value") : endpoint;
            case ChannelKind.Email:
                var address = endpoint is not null && endpoint.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) ? endpoint["mailto:".Length..] : endpoint;
                return address is not null && IsMailbox(address) ? address : Refuse("The endpoint of the channel email is one address, as mailto:desk@clinic.example.", at, "value");
            case ChannelKind.WebSocket:
                return endpoint is null || endpoint == offer.WebSocketUrl
                    ? (string?)null
                    : Refuse($"A websocket has no endpoint of its own: the server's is {offer.WebSocketUrl}.", at, "value");
            default:
                return endpoint is null ? (string?)null : Refuse("The channel kafka has no endpoint: the server's own topic for notifications is used.", at, "value");
        }
    }

    /// <summary>One mailbox without display name, comment, quotes or parameters: nothing that could become a header.</summary>
    private static bool IsMailbox(string address)
    {
        var at = address.IndexOf('@', StringComparison.Ordinal);
        return address.Length <= 254 && at is > 0 and <= 64 && address.LastIndexOf('@') == at
            && address.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+' or '@')
            && Uri.CheckHostName(address[(at + 1)..]) == UriHostNameType.Dns && address[(at + 1)..].Contains('.', StringComparison.Ordinal);
    }

    private static FhirFailure? CheckPayload(ChannelKind kind, string? payload, bool byTopic, SubscriptionOptions options)
    {
        const string at = At + ".payload";
        if (payload is null)
        {
            return byTopic ? Refuse("A subscription by topic needs a payload: application/fhir+json, or text/plain by e-mail.", at, "required") : null;
        }
        if (kind == ChannelKind.Stream && !byTopic && !options.KafkaFullResource)
        {
            return Refuse("Whole resources are not written to Kafka, where they would lie readable: leave the payload out, or subscribe by topic with the content id-only.", at, "security");
        }
        var parts = payload.Split(';', StringSplitOptions.TrimEntries);
        var parameters = parts.Skip(1).ToList();
        if (parameters.RemoveAll(one => one.StartsWith("fhirVersion=", StringComparison.OrdinalIgnoreCase) && Versions.Contains(one["fhirVersion=".Length..].Trim('"'))) > 1
            || parameters.Exists(one => one.StartsWith("fhirVersion=", StringComparison.OrdinalIgnoreCase)))
        {
            return Refuse("Notifications are of FHIR 4.0.", at, "not-supported");
        }
        parameters.RemoveAll(one => one.Equals("charset=utf-8", StringComparison.OrdinalIgnoreCase));
        if (kind == ChannelKind.Email)
        {
            var attaches = parameters.RemoveAll(one => one.StartsWith("attach=", StringComparison.OrdinalIgnoreCase) && JsonTypes.Contains(one["attach=".Length..].Trim('"')));
            return parts[0] == "text/plain" && parameters.Count == 0 && attaches <= 1 ? null
                : Refuse("The payload of the channel email is text/plain, or text/plain;attach=application/fhir+json.", at, "not-supported");
        }
        return JsonTypes.Contains(parts[0]) && parameters.Count == 0 ? null : Refuse("The payload is application/fhir+json.", at, "not-supported");
    }

    private Outcome<ContentLevel?> ContentOf(ChannelKind kind, JsonElement channel, bool byTopic)
    {
        const string at = At + ".payload.extension";
        var codes = channel.Member("_payload").Extensions(Backport.PayloadContent).Select(JsonView.ValueText).ToArray();
        if (!byTopic)
        {
            return codes.Length == 0 ? (ContentLevel?)null : Refuse(NeedsTopic("backport-payload-content"), at, "value");
        }
        if (codes is not [var code])
        {
            return Refuse("A subscription by topic says once, with the extension backport-payload-content, how much its notifications hold: empty, id-only or full-resource.", at, "required");
        }
        return code switch
        {
            "empty" => ContentLevel.Empty,
            "id-only" => ContentLevel.IdOnly,
            "full-resource" when kind == ChannelKind.Email && !options.EmailFullResource =>
                Refuse("Whole resources are not sent by e-mail, which anybody on the way can read: ask for empty or id-only.", at, "security"),
            "full-resource" when kind == ChannelKind.Stream && !options.KafkaFullResource =>
                Refuse("Whole resources are not written to Kafka, where they would lie readable: ask for empty or id-only.", at, "security"),
            "full-resource" => ContentLevel.FullResource,
            _ => Refuse("The content is empty, id-only or full-resource.", at, "code-invalid"),
        };
    }

    private static Outcome<TimeSpan?> SecondsOf(JsonElement channel, string url, bool allowed)
    {
        var values = ((JsonElement?)channel).Extensions(url).Select(JsonView.ValueOf).ToArray();
        if (values.Length == 0)
        {
            return (TimeSpan?)null;
        }
        var name = url[(url.LastIndexOf('/') + 1)..];
        if (!allowed)
        {
            return Refuse(NeedsTopic(name), At + ".extension", "value");
        }
        return values is [{ ValueKind: JsonValueKind.Number } number] && number.TryGetInt32(out var seconds) && seconds >= 0
            ? seconds == 0 ? (TimeSpan?)null : TimeSpan.FromSeconds(seconds)
            : Refuse($"{name} is one number of seconds.", At + ".extension", "value");
    }

    private static string NeedsTopic(string extension) => $"The extension {extension} belongs to subscriptions by topic: name a topic in Subscription.criteria.";

    private static FhirFailure Refuse(string why, string at, string code) => FhirFailure.Of(FailureKind.Unprocessable, why, at, code);
}
