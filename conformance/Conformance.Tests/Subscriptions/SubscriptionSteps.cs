using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>What tests of subscriptions do to the server, and wait for.</summary>
public static class SubscriptionSteps
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Stores it, and waits until the server has made it active.</summary>
    /// <returns>Its id.</returns>
    public static async Task<string> SubscribeAsync(this ServerUnderTest server, JsonObject subscription)
    {
        var created = (await server.PostAsync("Subscription", subscription)).Is(HttpStatusCode.Created);
        await server.StatusIsAsync(created.Id, "active");
        return created.Id;
    }

    /// <summary>Waits until the Subscription has that status.</summary>
    public static Task<JsonNode> StatusIsAsync(this ServerUnderTest server, string id, string status) => StatusIsAsync(server.Http, id, status);

    public static async Task<JsonNode> StatusIsAsync(HttpClient http, string id, string status)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var read = (await ServerUnderTest.SendAsync(http, HttpMethod.Get, $"Subscription/{id}", null)).Is(HttpStatusCode.OK).Body!;
            if ((string?)read["status"] == status)
            {
                return read;
            }
            Assert.False(limit.IsCancellationRequested, $"The Subscription does not become {status}: {read}");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    /// <summary>Waits until the server has counted that many events.</summary>
    public static async Task<JsonNode> CountedAsync(this ServerUnderTest server, string id, long events)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            var status = (await server.GetAsync($"Subscription/{id}/$status")).Is(HttpStatusCode.OK).Body!;
            if (Notice.TotalOf(status) >= events)
            {
                return status;
            }
            Assert.False(limit.IsCancellationRequested, $"{events} events are not counted: {status}");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    /// <summary>Waits until <c>$status</c> has no error: an endpoint has answered before the server has written down that it did.</summary>
    public static async Task IsWellAsync(this ServerUnderTest server, string id)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (Notice.Parameter(Notice.Status((await server.GetAsync($"Subscription/{id}/$status")).Is(HttpStatusCode.OK).Body), "error") is { } error)
        {
            Assert.False(limit.IsCancellationRequested, $"The error stays: {error}");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    /// <summary>A patient of a test's own.</summary>
    /// <returns><c>Patient/id</c>.</returns>
    public static async Task<string> AdmitAsync(this ServerUnderTest server)
    {
        var id = "sub-" + Guid.NewGuid().ToString("N")[..20];
        (await server.PutAsync($"Patient/{id}", new JsonObject { ["resourceType"] = "Patient", ["id"] = id, ["active"] = true })).Is(HttpStatusCode.Created);
        return $"Patient/{id}";
    }

    /// <returns><c>Observation/id</c>.</returns>
    public static async Task<string> ObserveAsync(this ServerUnderTest server, string patient, string code = "a") =>
        $"Observation/{(await server.PostAsync("Observation", Subscribing.Observation(patient, code))).Is(HttpStatusCode.Created).Id}";
}
