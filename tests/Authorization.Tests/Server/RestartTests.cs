using System.Net;
using System.Text;
using Authorization.Keys;
using Authorization.Server;
using Authorization.Stores;
using FhirCore.Records;
using Microsoft.Extensions.DependencyInjection;

namespace Authorization.Tests.Server;

public sealed class RestartTests : IAsyncLifetime
{
    private readonly Database _database = new(hasKeys: false);

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Restart_KeepsKeysAndClients()
    {
        string token;
        await using (var first = await TestServer.StartAsync(_database))
        {
            await first.Clients.RegisterAsync("demo", "sixteen-characters", "system/*.rs", default);
            token = (await first.AskAsync("system/*.rs", "demo", "sixteen-characters")).AccessToken;
        }
        await using var second = await TestServer.StartAsync(_database);

        using var call = await second.CallAsync(token);
        Assert.Equal(HttpStatusCode.OK, call.StatusCode);
        Assert.Equal(200, (await second.AskAsync("system/*.rs", "demo", "sixteen-characters")).Status);
        Assert.Equal(200, (await second.AskAsync()).Status);
    }

    [Fact]
    public async Task TwoProcessesStartingTogether_ShareOneKeyAndOneClient()
    {
        var servers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => TestServer.StartAsync(_database))));
        try
        {
            Assert.Single(servers.Select(server => server.Services.GetRequiredService<ServerKeys>().Signing.KeyId).Distinct());
            Assert.Equal(1, await _database.Store.CountAsync(ApplicationIndex.RecordType, Predicate.Everything, 10, default));
            using var call = await servers[0].CallAsync(await servers[3].TokenAsync());
            Assert.Equal(HttpStatusCode.OK, call.StatusCode);
        }
        finally
        {
            foreach (var server in servers)
            {
                await server.DisposeAsync();
            }
        }
    }

    [Fact]
    public async Task SettingsAreFollowed_ChangedSecretsAndScopes_RemovedClients()
    {
        await using (var first = await TestServer.StartAsync(
            _database, ("Auth:Clients:1:ClientId", "old"), ("Auth:Clients:1:ClientSecret", "sixteen-characters"), ("Auth:Clients:1:Scope", "system/*.rs")))
        {
            await first.Clients.RegisterAsync("demo", "sixteen-characters", "system/*.rs", default);
            Assert.Equal(200, (await first.AskAsync(clientId: "old", secret: "sixteen-characters")).Status);
        }
        await using var second = await TestServer.StartAsync(
            _database, ("Auth:Clients:0:ClientSecret", "a-new-secret-of-theirs"), ("Auth:Clients:0:Scope", "system/Slot.rs"));

        Assert.Equal("invalid_client", (await second.AskAsync()).Error);
        Assert.Equal("invalid_scope", (await second.AskAsync(secret: "a-new-secret-of-theirs")).Error);
        Assert.Equal(200, (await second.AskAsync("system/Slot.rs", secret: "a-new-secret-of-theirs")).Status);
        Assert.Equal("invalid_client", (await second.AskAsync(clientId: "old", secret: "sixteen-characters")).Error);
        Assert.Equal(200, (await second.AskAsync(clientId: "demo", secret: "sixteen-characters")).Status);
    }

    [Fact]
    public async Task Rows_HoldNothingThatCouldBeRead()
    {
        await using var server = await TestServer.StartAsync(_database);
        await server.TokenAsync();
        var key = server.Services.GetRequiredService<ServerKeys>().Signing;
        byte[][] secrets =
        [
            .. new[] { TestServer.Secret, TestServer.ClientId, "system/", "Patient", "client_credentials", "valid", "access_token", key.KeyId }.Select(Encoding.UTF8.GetBytes),
            key.ECDsa.ExportParameters(true).D!,
            server.Services.GetRequiredService<ServerKeys>().Encryption.Key,
        ];
        var rows = 0;
        foreach (var type in new[] { ApplicationIndex.RecordType, TokenIndex.RecordType, AuthorizationIndex.RecordType, ScopeIndex.RecordType, ServerKeys.RecordType })
        {
            foreach (var record in (await _database.Store.QueryAsync(new(type, Predicate.Everything, RecordOrder.ById, null, 100), default)).Records)
            {
                rows++;
                foreach (var secret in secrets)
                {
                    Assert.True(record.Body.Span.IndexOf(secret) < 0, $"the body of {record.Key} holds a secret");
                    // A text of three letters may stand in sixteen random bytes by chance; the whole client id of a token field may not.
                    Assert.True(secret.Length < 5 || record.Index.Block.Span.IndexOf(secret) < 0, $"the index of {record.Key} holds a secret");
                }
            }
        }
        Assert.Equal(5, rows); // client, token, three keys
    }

    [Fact]
    public async Task Sweep_RemovesExpiredTokensOnly()
    {
        await using var server = await TestServer.StartAsync(_database);
        var sweep = server.Services.GetRequiredService<TokenSweep>();
        await server.TokenAsync();
        _database.Clock.Advance(TimeSpan.FromMinutes(4));
        await server.TokenAsync();

        Assert.Equal(0, await sweep.RunOnceAsync(default));
        _database.Clock.Advance(TimeSpan.FromSeconds(59)); // the timer of the sweep itself must not fire in between
        Assert.Equal(0, await sweep.RunOnceAsync(default));
        Assert.Equal(2, await _database.Store.CountAsync(TokenIndex.RecordType, Predicate.Everything, 10, default));
        _database.Clock.Advance(TimeSpan.FromSeconds(2));
        await sweep.RunOnceAsync(default);
        Assert.Equal(1, await _database.Store.CountAsync(TokenIndex.RecordType, Predicate.Everything, 10, default));
    }
}
