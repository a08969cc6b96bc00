using System.Net;

namespace Authorization.Tests.Tokens;

/// <summary>Two servers on one store: the store is what they share, and nothing else is needed.</summary>
public sealed class TwoProcessesTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private TestServer _a = null!;
    private TestServer _b = null!;

    public async ValueTask InitializeAsync() => (_a, _b) = (await TestServer.StartAsync(_database), await TestServer.StartAsync(_database));

    public async ValueTask DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task TokenOfOne_IsAcceptedByTheOther()
    {
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_b, await _a.TokenAsync()));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_a, await _b.TokenAsync()));
    }

    [Fact]
    public async Task ClientRemovedAtOne_IsRefusedByTheOther_AtOnceOrWithinTheMinute()
    {
        await _a.Clients.RegisterAsync("short-lived", "sixteen-characters", "system/Patient.rs", default);
        var known = (await _b.AskAsync(clientId: "short-lived", secret: "sixteen-characters")).AccessToken;
        var unseen = (await _a.AskAsync(clientId: "short-lived", secret: "sixteen-characters")).AccessToken;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(_b, known));

        Assert.True(await _a.Clients.RemoveAsync("short-lived", default));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(_b, unseen)); // it had not been verified there
        Assert.Equal("invalid_client", (await _b.AskAsync(clientId: "short-lived", secret: "sixteen-characters")).Error);
        _database.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(_b, known));
    }

    private static async Task<HttpStatusCode> StatusAsync(TestServer server, string token)
    {
        using var call = await server.CallAsync(token);
        return call.StatusCode;
    }
}
