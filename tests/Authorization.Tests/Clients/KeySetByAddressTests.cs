using System.Net;
using System.Net.Http.Headers;
using Authorization.Clients;
using Authorization.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Authorization.Tests.Clients;

/// <summary>Keys that are fetched from the client's address.</summary>
public sealed class KeySetByAddressTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private readonly Signer _first = new("RS384", "first");
    private readonly Signer _second = new("ES384", "second");
    private WebApplication _site = null!;
    private TestServer _server = null!;
    private string _keys = "";
    private string? _cacheControl;
    private int _status = 200;
    private int _fetches;
    private string? _accept;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _site = builder.Build();
        _site.Urls.Add("http://127.0.0.1:0");
        _site.Run(async context =>
        {
            Interlocked.Increment(ref _fetches);
            _accept = context.Request.Headers.Accept;
            context.Response.StatusCode = _status;
            context.Response.Headers.Location = "/elsewhere";
            context.Response.Headers.CacheControl = _cacheControl;
            await context.Response.WriteAsync(_keys);
        });
        await _site.StartAsync();
        _keys = Signer.KeySet(_first.PublicKey());
        _server = await TestServer.StartAsync(_database, ("Auth:AllowedPrivateEndpoints:0", new Uri(Site).Authority));
        Assert.Null(await _server.Clients.RegisterAsync(new ClientOptions { ClientId = "backend", JwksUri = Site, Scope = "system/Patient.rs" }, default));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _site.DisposeAsync();
        await _database.DisposeAsync();
        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public async Task Keys_AreFetchedOnceAndKept()
    {
        Assert.Equal(200, await AskAsync(_first));
        Assert.Equal(200, await AskAsync(_first));

        Assert.Equal((1, "application/json"), (_fetches, _accept));
    }

    [Fact]
    public async Task Keys_AreKeptNoLongerThanTheirAnswerAllows()
    {
        _cacheControl = "max-age=60";
        await AskAsync(_first);
        _database.Clock.Advance(TimeSpan.FromSeconds(61));
        _keys = Signer.KeySet(_second.PublicKey());

        Assert.Equal(401, await AskAsync(_first));
        Assert.Equal(2, _fetches);
    }

    [Fact]
    public async Task UnknownKey_IsLookedForOnce_ThenOnlyNowAndThen()
    {
        await AskAsync(_first);
        _database.Clock.Advance(ClientKeySource.RefetchInterval);
        _keys = Signer.KeySet(_first.PublicKey(), _second.PublicKey());

        Assert.Equal(200, await AskAsync(_second));
        Assert.Equal(2, _fetches);
        using var third = new Signer("ES384", "third");
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(401, await AskAsync(third));
        }
        Assert.Equal(2, _fetches);
    }

    [Theory]
    [InlineData(500, null)]
    [InlineData(302, null)]
    [InlineData(200, "not json")]
    [InlineData(200, "{\"keys\":{}}")]
    public async Task AnswerThatIsNoKeySet_IsInvalidClient(int status, string? body)
    {
        (_status, _keys) = (status, body ?? _keys);

        Assert.Equal(401, await AskAsync(_first));
        Assert.Equal(1, _fetches);
    }

    [Fact]
    public async Task AnswerThatIsTooLarge_IsInvalidClient()
    {
        _keys = _keys + new string(' ', 64 * 1024);

        Assert.Equal(401, await AskAsync(_first));
    }

    [Fact]
    public async Task Jku_MustBeTheRegisteredAddress()
    {
        var header = _first.Header();
        header["jku"] = Site;
        Assert.Equal(200, (await _server.AskAsync(Signer.Form(_first.Sign(header, Claims())))).Status);
        header["jku"] = Site + "other";
        Assert.Equal("invalid_client", (await _server.AskAsync(Signer.Form(_first.Sign(header, Claims())))).Error);
        Assert.Equal(1, _fetches);
    }

    [Fact]
    public async Task PrivateAddress_ThatNobodyAllowed_CannotBeRegistered_AndIsNotConnectedTo()
    {
        await using var strict = await TestServer.StartAsync(_database);

        foreach (var address in new[] { Site, "https://169.254.169.254/latest", "https://[::1]/jwks", "https://localhost/jwks", "https://[::ffff:10.0.0.1]/jwks", "http://ehr.example/jwks", "https://user@ehr.example/jwks", "file:///etc/passwd" })
        {
            Assert.NotNull(await strict.Clients.RegisterAsync(new ClientOptions { ClientId = "evil", JwksUri = address, Scope = "system/Patient.rs" }, default));
        }
        // A name says nothing about where it leads: it may be registered, and fails when the connection is made.
        Assert.Null(await strict.Clients.RegisterAsync(
            new ClientOptions { ClientId = "rebinding", JwksUri = $"https://{Dns.GetHostName()}:{new Uri(Site).Port}/", Scope = "system/Patient.rs" }, default));
        Assert.Equal("invalid_client", (await strict.AskAsync(Signer.Form(_first.Sign(_first.Header(), Signer.Claims("rebinding", _database.Clock.GetUtcNow()))))).Error);
        Assert.Equal(0, _fetches);
    }

    [Theory]
    [InlineData(null, 300)]
    [InlineData("max-age=30", 30)]
    [InlineData("max-age=86400", 3600)]
    [InlineData("no-store", 0)]
    [InlineData("no-cache, max-age=100", 0)]
    public void Age_IsWhatTheHeaderSays_WithinBounds(string? header, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), ClientKeySource.AgeOf(header is null ? null : CacheControlHeaderValue.Parse(header)));

    private string Site => _site.Urls.First() + "/";

    private System.Text.Json.Nodes.JsonObject Claims() => Signer.Claims("backend", _database.Clock.GetUtcNow());

    private async Task<int> AskAsync(Signer signer) => (await _server.AskAsync(Signer.Form(signer.Sign(signer.Header(), Claims())))).Status;
}
