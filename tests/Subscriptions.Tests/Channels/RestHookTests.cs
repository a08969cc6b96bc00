using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FhirCore.Outbound;
using Subscriptions.Channels;
using Subscriptions.Definitions;
using Subscriptions.Delivery;
using Subscriptions.Feeds;

namespace Subscriptions.Tests.Channels;

public sealed class RestHookTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A name is looked up for each connection, and the address that was checked is the one that is connected to.</summary>
    [Fact]
    public async Task NameThatComesToLeadInside_IsNotConnectedToAnyMore_AndAgainOnceItLeadsOutside()
    {
        using var listener = new TcpListener(IPAddress.Any, 0);
        listener.Start();
        var (address, calls) = (IPAddress.Loopback, 0);
        Assert.True(AllowedEndpoints.TryParse(["127.0.0.1/32"], out var outside, out _)); // stands for the public internet
        var guard = new OutboundGuard(outside, (_, _) =>
        {
            calls++;
            return Task.FromResult(new[] { address });
        });
        using var hook = new RestHook(guard, new(), TimeProvider.System);
        var notification = Make($"http://subscriber.example:{((IPEndPoint)listener.LocalEndpoint).Port}/hook");

        var first = hook.SendAsync(notification, Ct);
        await AnswerAsync(listener);
        Assert.Equal(SendOutcome.Done, await first);
        address = IPAddress.Parse("127.0.0.2");
        Assert.Equal(new SendOutcome.Failed("address-not-allowed"), await hook.SendAsync(notification, Ct));
        Assert.False(listener.Pending());
        address = IPAddress.Loopback;
        var last = hook.SendAsync(notification, Ct);
        await AnswerAsync(listener);
        Assert.Equal(SendOutcome.Done, await last);
        Assert.Equal(3, calls);
    }

    private static async Task AnswerAsync(TcpListener listener)
    {
        using var socket = await listener.AcceptSocketAsync(Ct);
        await socket.ReceiveAsync(new byte[4_096], Ct);
        await socket.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), Ct);
    }

    private static Outgoing Make(string endpoint) => new(
        "00.1-1", NotificationType.EventNotification,
        new SubscriptionDefinition
        {
            Key = new("Subscription", "s"), Status = SubscriptionStatus.Active, Criteria = "urn:topic", Filters = ImmutableDictionary<string, TypeFilter>.Empty,
            Channel = ChannelKind.RestHook, Endpoint = endpoint, Payload = "application/fhir+json",
        },
        new Subscriber(), "{}"u8.ToArray(), null, 1);
}
