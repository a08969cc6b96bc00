using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Authorization.Access;
using FhirCore;
using FhirServer.Http;
using FhirServer.Operations;
using FhirStore.Json;
using Subscriptions;
using Subscriptions.Operations;

namespace FhirServer.Subscriptions;

/// <summary>The operations on Subscription over HTTP.</summary>
internal sealed class SubscriptionRoutes(SubscriptionApi api) : IFhirOperations
{
    private const string Type = "Subscription";
    private static readonly string[] Names = ["status", "events", "resend", "get-ws-binding-token"];

    public IReadOnlyList<OperationOffer> Offers(FhirBase @base, string? type) =>
        type is not Type ? [] : [.. Names.Select(name => new OperationOffer(name, Backport.OperationDefinition + name))];

    public bool Has(FhirRoute route) => route switch
    {
        { Type: Type, Kind: RouteKind.TypeOperation } => route.Tail is "$status" or "$get-ws-binding-token",
        { Type: Type, Kind: RouteKind.InstanceOperation } => Names.Contains(route.Tail?[1..]),
        _ => false,
    };

    public async ValueTask<FhirReply> InvokeAsync(FhirRequest request, CancellationToken ct)
    {
        var name = request.Route.Tail!;
        if (name == "$resend" && request.Method != "POST")
        {
            return FhirReply.MethodNotAllowed(request.Method, "POST"); // it does something
        }
        if (AccessDecision.Decide(request.Grant, Interaction.Operation, Type, name) is { } refusal)
        {
            return FhirReply.Refused(refusal);
        }
        if (!ReadBody(request).TryGet(out var body, out var failure) && failure is not null)
        {
            return FhirReply.Refused(failure);
        }
        ImmutableArray<KeyValuePair<string, string>> query = [.. request.Query.Where(pair => pair.Key is not ("_format" or "_pretty"))];
        return name switch
        {
            "$status" => await StatusAsync(request, query, body, ct),
            "$events" => await EventsAsync(request, query, body, ct),
            "$resend" => await ResendAsync(request, query, body, ct),
            _ => await BindAsync(request, query, body, ct),
        };
    }

    private async ValueTask<FhirReply> StatusAsync(FhirRequest request, ImmutableArray<KeyValuePair<string, string>> query, JsonElement? body, CancellationToken ct)
    {
        var path = request.Route.Id is { } id ? $"{Type}/{id}/$status" : $"{Type}/$status";
        return SubscriptionInput.Read(query, body, "id", "status").TryGet(out var input, out var failure)
            && (await api.StatusAsync(request.Route.Id, input, $"{request.Base.Url}/{path}{request.RawQuery}", request.Caller, ct)).TryGet(out var bundle, out failure)
            ? new() { Status = 200, Body = bundle }
            : FhirReply.Refused(failure);
    }

    private async ValueTask<FhirReply> EventsAsync(FhirRequest request, ImmutableArray<KeyValuePair<string, string>> query, JsonElement? body, CancellationToken ct) =>
        SubscriptionInput.Read(query, body, "eventsSinceNumber", "eventsUntilNumber", "content").TryGet(out var input, out var failure)
        && (await api.EventsAsync(request.Route.Id!, input, request.Caller, ct)).TryGet(out var bundle, out failure)
            ? new() { Status = 200, Body = bundle }
            : FhirReply.Refused(failure);

    private async ValueTask<FhirReply> ResendAsync(FhirRequest request, ImmutableArray<KeyValuePair<string, string>> query, JsonElement? body, CancellationToken ct) =>
        SubscriptionInput.Read(query, body, "eventsSinceNumber", "eventsUntilNumber", "eventsSinceInstant", "eventsUntilInstant").TryGet(out var input, out var failure)
        && (await api.ResendAsync(request.Route.Id!, input, request.Caller, ct)).TryGet(out var events, out failure)
            ? new() { Status = 200, Body = OutcomeJson.Write([Issue.Information("informational", string.Create(CultureInfo.InvariantCulture, $"{events} events are sent again."))]) }
            : FhirReply.Refused(failure);

    private async ValueTask<FhirReply> BindAsync(FhirRequest request, ImmutableArray<KeyValuePair<string, string>> query, JsonElement? body, CancellationToken ct)
    {
        if (!SubscriptionInput.Read(query, body, "id").TryGet(out var input, out var failure)
            || !(await api.BindAsync(request.Route.Id, input, request.Grant.Keep(), request.Caller, ct)).TryGet(out var token, out failure))
        {
            return FhirReply.Refused(failure);
        }
        var buffer = new JsonBuffer();
        var json = buffer.Json;
        json.WriteStartObject();
        json.WriteString("resourceType", "Parameters");
        json.WriteStartArray("parameter");
        Write(json, "token", "valueString", token.Token);
        Write(json, "expiration", "valueDateTime", token.Ends.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        foreach (var subscription in token.Subscriptions)
        {
            Write(json, "subscription", "valueString", subscription);
        }
        Write(json, "websocket-url", "valueUrl", token.WebSocketUrl);
        json.WriteEndArray();
        json.WriteEndObject();
        return new() { Status = 200, Body = buffer.ToBody() };
    }

    private static void Write(Utf8JsonWriter json, string name, string type, string value)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString(type, value);
        json.WriteEndObject();
    }

    private static Outcome<JsonElement?> ReadBody(FhirRequest request) =>
        request.Body.IsEmpty ? (JsonElement?)null
        : ResourceParser.Parse(request.Body, null).TryGet(out var resource, out var failure) ? resource.Root
        : failure;
}
