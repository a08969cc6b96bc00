using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>What stands in the store when a server starts may be worth nothing by then.</summary>
public sealed class RestartTests
{
    private const string Client = "restart";
    private const string Secret = "restart-secret-of-the-tests";

    /// <summary>
    /// Each subscription stands for itself: one whose endpoint is not allowed any more is told so, and neither keeps the server from starting
    /// nor the others from their events.
    /// </summary>
    [Fact]
    public async Task SubscriptionThatCannotBeServedAnyMore_KeepsNeitherTheServerNorTheOthersFromTheirWork()
    {
        var (box, other) = (SubscriberHost.Instance.Open(), SubscriberHost.Instance.Open());
        var folder = Directory.CreateTempSubdirectory("fhir-restart-").FullName;
        var byName = other.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        try
        {
            string well, ill;
            await using (var first = await StartAsync(folder, new Uri(box.Address).Authority, new Uri(byName).Authority))
            {
                using var http = await Tokens.SignInAsync(first.Base, Client, Secret, CancellationToken.None);
                (await SendAsync(http, HttpMethod.Put, "Patient/p", new JsonObject { ["resourceType"] = "Patient", ["id"] = "p" })).Is(HttpStatusCode.Created);
                well = (await SendAsync(http, HttpMethod.Post, "Subscription", Subscribing.ByTopic(Subscribing.PatientTopic, box.Address, "id-only", "patient=Patient/p"))).Is(HttpStatusCode.Created).Id;
                await SubscriptionSteps.StatusIsAsync(http, well, "active");
                ill = (await SendAsync(http, HttpMethod.Post, "Subscription", Subscribing.ByTopic(Subscribing.PatientTopic, byName, "id-only", "patient=Patient/p"))).Is(HttpStatusCode.Created).Id;
                await SubscriptionSteps.StatusIsAsync(http, ill, "active");
            }
            await using var second = await StartAsync(folder, new Uri(box.Address).Authority);
            using var again = await Tokens.SignInAsync(second.Base, Client, Secret, CancellationToken.None);
            await SubscriptionSteps.StatusIsAsync(again, ill, "error");
            (await SendAsync(again, HttpMethod.Post, "Observation", Subscribing.Observation("Patient/p"))).Is(HttpStatusCode.Created);

            await box.EventsUpToAsync(1);
            Assert.Empty(other.Events);
            Assert.Equal("active", (string?)(await SendAsync(again, HttpMethod.Get, $"Subscription/{well}", null)).Body!["status"]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Task<RunningServer> StartAsync(string folder, params string[] allowed) => RunningServer.StartAsync(
        Path.Combine(folder, "data"), [],
        [
            new("Auth:Clients:0:ClientId", Client), new("Auth:Clients:0:ClientSecret", Secret), new("Auth:Clients:0:Scope", Tokens.Everything),
            .. allowed.Select((endpoint, i) => new KeyValuePair<string, string>($"Subscriptions:AllowedPrivateEndpoints:{i}", endpoint)),
        ], CancellationToken.None);

    private static Task<Answer> SendAsync(HttpClient http, HttpMethod method, string path, JsonNode? body) =>
        ServerUnderTest.SendAsync(http, method, path, body is null ? null : new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(body.ToJsonString())));
}
