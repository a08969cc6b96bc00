using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html#websockets</summary>
public sealed class SocketTests(ServerUnderTest server)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>OperationDefinition-backport-subscription-get-ws-binding-token.html; one handshake for each subscription, then its events.</summary>
    [Fact]
    public async Task BoundSocket_GetsAHandshakeForEachSubscription_ThenEvents()
    {
        var patient = await AdmitAsync();
        var first = await SubscribeAsync(patient, "id-only");
        var second = await SubscribeAsync(patient, "full-resource");
        await server.ObserveAsync(patient);
        await server.CountedAsync(first, 1);
        var token = (await server.PostAsync("Subscription/$get-ws-binding-token", new JsonObject
        {
            ["resourceType"] = "Parameters",
            ["parameter"] = new JsonArray(new JsonObject { ["name"] = "id", ["valueId"] = first }, new JsonObject { ["name"] = "id", ["valueId"] = second }),
        })).Is(HttpStatusCode.OK).Body!;
        Assert.Equal([first, second], token["parameter"]!.AsArray().Where(parameter => (string?)parameter!["name"] == "subscription").Select(parameter => (string?)parameter!["valueString"]));
        Assert.NotNull(Parameter(token, "expiration")["valueDateTime"]);

        using var socket = await ConnectAsync(token);
        await SendAsync(socket, $"bind-with-token {Parameter(token, "token")["valueString"]}");
        var handshakes = new[] { await ReadAsync(socket), await ReadAsync(socket) };
        Assert.Equal(((string[])[first, second]).Order(), handshakes.Select(IdOf).Order());
        Assert.All(handshakes, handshake => Notice.IsNotification(handshake, IdOf(handshake), "handshake", "active"));
        Assert.Equal(1, Notice.TotalOf(handshakes[0]));
        var observation = await server.ObserveAsync(patient);
        var told = new[] { await ReadAsync(socket), await ReadAsync(socket) };
        foreach (var bundle in told)
        {
            Notice.IsNotification(bundle, IdOf(bundle), "event-notification", "active");
            Assert.Equal([2], Notice.NumbersOf(bundle));
            Assert.EndsWith(observation, Assert.Single(Notice.FocusOf(bundle)), StringComparison.Ordinal);
        }
        Assert.Equal(observation.Split('/')[1], (string?)told.Single(bundle => IdOf(bundle) == second)["entry"]![1]!["resource"]!["id"]);
    }

    /// <summary>The token is shown to nobody twice.</summary>
    [Fact]
    public async Task Token_IsGoodOnce()
    {
        var id = await SubscribeAsync(await AdmitAsync(), "empty");
        var token = (await server.GetAsync($"Subscription/{id}/$get-ws-binding-token")).Is(HttpStatusCode.OK).Body!;
        var words = $"bind-with-token {Parameter(token, "token")["valueString"]}";
        using var socket = await ConnectAsync(token);
        await SendAsync(socket, words);
        Notice.IsNotification(await ReadAsync(socket), id, "handshake", "active");

        using var thief = await ConnectAsync(token);
        await SendAsync(thief, words);
        Assert.Equal("OperationOutcome", (string?)(await ReadAsync(thief))["resourceType"]);
        await IsClosedAsync(thief);
    }

    [Theory]
    [InlineData("bind-with-token nonsense")]
    [InlineData("bind some-subscription")]
    [InlineData("")]
    public async Task SocketThatProvesNothing_IsToldNothing(string words)
    {
        using var socket = await ConnectAsync((await server.GetAsync($"Subscription/{await SubscribeAsync(await AdmitAsync(), "empty")}/$get-ws-binding-token")).Is(HttpStatusCode.OK).Body!);
        await SendAsync(socket, words);
        Assert.Equal("OperationOutcome", (string?)(await ReadAsync(socket))["resourceType"]);
        await IsClosedAsync(socket);
    }

    /// <summary>A client may bind again over the same socket, and binds more subscriptions to it later.</summary>
    [Fact]
    public async Task Socket_IsBoundAgainAndToMore()
    {
        var patient = await AdmitAsync();
        var (first, second) = (await SubscribeAsync(patient, "id-only"), await SubscribeAsync(patient, "id-only"));
        var token = (await server.GetAsync($"Subscription/{first}/$get-ws-binding-token")).Is(HttpStatusCode.OK).Body!;
        using var socket = await ConnectAsync(token);
        await SendAsync(socket, $"bind-with-token {Parameter(token, "token")["valueString"]}");
        Assert.Equal(first, IdOf(await ReadAsync(socket)));
        var both = (await server.GetAsync($"Subscription/$get-ws-binding-token?id={first}&id={second}")).Is(HttpStatusCode.OK).Body!;
        await SendAsync(socket, $"bind-with-token {Parameter(both, "token")["valueString"]}");
        Assert.Equal(((string[])[first, second]).Order(), new[] { IdOf(await ReadAsync(socket)), IdOf(await ReadAsync(socket)) }.Order());
        await server.ObserveAsync(patient);
        Assert.Equal(((string[])[first, second]).Order(), new[] { IdOf(await ReadAsync(socket)), IdOf(await ReadAsync(socket)) }.Order());
    }

    [Fact]
    public async Task Heartbeats_ComeOverTheSocket_AndTheEndOfTheSubscriptionClosesIt()
    {
        var id = await SubscribeAsync(await AdmitAsync(), "empty", subscription => subscription.With(("heartbeat-period", "valueUnsignedInt", 1)));
        var token = (await server.GetAsync($"Subscription/{id}/$get-ws-binding-token")).Is(HttpStatusCode.OK).Body!;
        using var socket = await ConnectAsync(token);
        await SendAsync(socket, $"bind-with-token {Parameter(token, "token")["valueString"]}");
        Assert.Equal("handshake", Notice.TypeOf(await ReadAsync(socket)));
        Notice.IsNotification(await ReadAsync(socket), id, "heartbeat", "active");
        (await server.DeleteAsync($"Subscription/{id}")).Is(HttpStatusCode.NoContent);
        await IsClosedAsync(socket);
    }

    /// <summary>R4's own, https://hl7.org/fhir/R4/subscription.html: bound, then a ping for each match.</summary>
    [Fact]
    public async Task SubscriptionByCriteria_IsPinged()
    {
        var patient = await AdmitAsync();
        var subscription = Subscribing.ByCriteria($"Observation?subject={patient}", "x").Channel("type", "websocket");
        subscription["channel"]!.AsObject().Remove("endpoint");
        var id = await server.SubscribeAsync(subscription);
        var token = (await server.GetAsync($"Subscription/{id}/$get-ws-binding-token")).Is(HttpStatusCode.OK).Body!;
        using var socket = await ConnectAsync(token);
        await SendAsync(socket, $"bind-with-token {Parameter(token, "token")["valueString"]}");
        Assert.Equal($"bound {id}", await ReadTextAsync(socket));
        await server.ObserveAsync(patient);
        Assert.Equal($"ping {id}", await ReadTextAsync(socket));
    }

    [Fact]
    public async Task Token_IsForWebSocketsOnly()
    {
        var patient = await AdmitAsync();
        var id = await server.SubscribeAsync(Subscribing.ByTopic(Subscribing.PatientTopic, SubscriberHost.Instance.Open().Address, "empty", $"patient={patient}"));
        (await server.GetAsync($"Subscription/{id}/$get-ws-binding-token")).Refused(HttpStatusCode.UnprocessableEntity);
        (await server.GetAsync("Subscription/$get-ws-binding-token")).Refused(HttpStatusCode.BadRequest);
        (await server.GetAsync("Subscription/nobody-has-this/$get-ws-binding-token")).Refused(HttpStatusCode.NotFound);
        var plain = await ServerUnderTest.SendAsync(server.Anonymous, HttpMethod.Get, new Uri(server.Base, "/fhir-websocket").AbsoluteUri, null);
        plain.Refused(HttpStatusCode.BadRequest);
    }

    private async Task<string> AdmitAsync()
    {
        SubscriberHost.Instance.Open();
        return await server.AdmitAsync();
    }

    private async Task<string> SubscribeAsync(string patient, string content, Action<JsonObject>? change = null)
    {
        var subscription = Subscribing.ByTopic(Subscribing.PatientTopic, "x", content, $"patient={patient}").Channel("type", "websocket");
        subscription["channel"]!.AsObject().Remove("endpoint");
        change?.Invoke(subscription);
        return await server.SubscribeAsync(subscription);
    }

    private static JsonNode Parameter(JsonNode parameters, string name) => parameters["parameter"]!.AsArray().Single(parameter => (string?)parameter!["name"] == name)!;

    private static string IdOf(JsonNode bundle) => ((string)Notice.Parameter(Notice.Status(bundle), "subscription")!["reference"]!).Split('/')[^1];

    private static async Task<ClientWebSocket> ConnectAsync(JsonNode token)
    {
        var socket = new ClientWebSocket();
        using var limit = new CancellationTokenSource(Limit);
        await socket.ConnectAsync(new((string)Parameter(token, "websocket-url")["valueUrl"]!), limit.Token);
        return socket;
    }

    private static async Task SendAsync(ClientWebSocket socket, string text) =>
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    private static async Task<JsonNode> ReadAsync(ClientWebSocket socket) => JsonNode.Parse(await ReadTextAsync(socket) ?? throw new InvalidOperationException($"The socket was closed: {socket.CloseStatusDescription}"))!;

    /// <returns>Null when it was closed.</returns>
    private static async Task<string?> ReadTextAsync(ClientWebSocket socket)
    {
        using var limit = new CancellationTokenSource(Limit);
        using var text = new MemoryStream();
        var buffer = new byte[16_384];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }
            text.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
            {
                return Encoding.UTF8.GetString(text.ToArray());
            }
        }
    }

    private static async Task IsClosedAsync(ClientWebSocket socket)
    {
        while (await ReadTextAsync(socket) is { } late)
        {
            Assert.Contains("heartbeat", late, StringComparison.Ordinal);
        }
    }
}
