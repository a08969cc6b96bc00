using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace FhirServer.Tests;

/// <summary>A server whose tokens for websockets are soon too old.</summary>
public sealed class ImpatientServer : ServerFixture
{
    protected override string[] Extra => ["--Subscriptions:BindingTokenLifetime=00:00:10", "--Reminders:Enabled=false"];
}

/// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-get-ws-binding-token.html</summary>
public sealed class SubscriptionSocketTests(ImpatientServer server) : IClassFixture<ImpatientServer>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Token_ThatIsTooOld_BindsNothing()
    {
        Assert.Equal(201, (await server.Client.PutAsync("Patient/listening", """{"resourceType":"Patient","id":"listening"}""")).Status);
        var made = await server.Client.PostAsync("Subscription", """
            {"resourceType":"Subscription","status":"requested","reason":"Test","criteria":"urn:fhir-server:topic:patient-record",
             "_criteria":{"extension":[{"url":"http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-filter-criteria","valueString":"patient=Patient/listening"}]},
             "channel":{"type":"websocket","payload":"application/fhir+json",
              "_payload":{"extension":[{"url":"http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content","valueCode":"empty"}]}}}
            """);
        Assert.True(made.Status == 201, made.Text);
        var (old, ends) = await TokenAsync(made.Id!);
        Assert.InRange(ends - TimeProvider.System.GetUtcNow(), TimeSpan.Zero, TimeSpan.FromSeconds(10));

        using var early = await ConnectAsync();
        Assert.Equal("Bundle", await BindAsync(early, (await TokenAsync(made.Id!)).Token)); // in time, it does
        while (TimeProvider.System.GetUtcNow() < ends.AddSeconds(1)) // it is told in whole seconds
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        using var late = await ConnectAsync();
        Assert.Equal("OperationOutcome", await BindAsync(late, old));
        Assert.Null(await ReadAsync(late));
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, late.CloseStatus);
    }

    private async Task<(string Token, DateTimeOffset Ends)> TokenAsync(string subscription)
    {
        var parameters = (await server.Client.GetAsync($"Subscription/{subscription}/$get-ws-binding-token")).Json["parameter"]!.AsArray();
        return ((string)Of("token")["valueString"]!, DateTimeOffset.Parse((string)Of("expiration")["valueDateTime"]!, CultureInfo.InvariantCulture));

        JsonNode Of(string name) => parameters.Single(parameter => (string?)parameter!["name"] == name)!;
    }

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(server.Origin) { Scheme = "ws", Path = "/fhir-websocket" }.Uri, TestContext.Current.CancellationToken);
        return socket;
    }

    /// <returns>Type of the resource that is answered.</returns>
    private static async Task<string?> BindAsync(ClientWebSocket socket, string token)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes($"bind-with-token {token}"), WebSocketMessageType.Text, endOfMessage: true, TestContext.Current.CancellationToken);
        return (string?)JsonNode.Parse((await ReadAsync(socket))!)!["resourceType"];
    }

    /// <returns>Null when it was closed.</returns>
    private static async Task<string?> ReadAsync(ClientWebSocket socket)
    {
        using var limit = new CancellationTokenSource(Limit);
        var buffer = new byte[16_384];
        var length = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), limit.Token);
            length += part.Count;
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }
            if (part.EndOfMessage)
            {
                return Encoding.UTF8.GetString(buffer, 0, length);
            }
        }
    }
}
