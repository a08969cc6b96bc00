using Authorization.Tests.Pages;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Authorization.Tests.Launch;

public sealed class RefreshTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(_database, ("Auth:Clients:0:MayIntrospect", "true"));
        await _server.AddAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("a-secret-of-the-app")]
    public async Task Refresh_GivesTheSameScopesAndContext_AndANewRefreshToken(string? secret)
    {
        var app = await new SmartApp(_server, secret: secret).RegisterAsync();
        using var browser = new Browser(_server);
        var first = await app.LaunchAsync(browser, "openid fhirUser offline_access patient/*.rs patient/Observation.cruds");
        _database.Clock.Advance(TimeSpan.FromHours(1));

        var second = await app.RefreshAsync(first);
        var third = await app.RefreshAsync(second, ("scope", first.Scope));

        foreach (var answer in new[] { second, third })
        {
            Assert.Equal(200, answer.Status);
            Assert.Equal(first.Scope!.Split(' ').ToHashSet(), answer.Scope!.Split(' ').ToHashSet());
            Assert.Equal("anna", answer.Body.GetProperty("patient").GetString());
            Assert.Equal(300, answer.Body.GetProperty("expires_in").GetInt32());
            Assert.True(answer.Response.Headers.CacheControl!.NoStore);
            Assert.Contains("no-cache", answer.Response.Headers.Pragma.ToString(), StringComparison.Ordinal);
            Assert.Null((await _server.Authenticator.AuthenticateAsync($"Bearer {answer.AccessToken}", default)).Failure);
        }
        Assert.Equal(3, new[] { first, second, third }.Select(answer => answer.Body.GetProperty("refresh_token").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Refresh_WithLess_NarrowsThisTokenOnly()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var first = await app.LaunchAsync(browser, "offline_access patient/*.rs");

        var less = await app.RefreshAsync(first, ("scope", "patient/Observation.r"));
        var again = await app.RefreshAsync(less);

        Assert.Equal("patient/Observation.r", less.Scope);
        Assert.Equal("anna", less.Body.GetProperty("patient").GetString());
        Assert.Equal(first.Scope!.Split(' ').ToHashSet(), again.Scope!.Split(' ').ToHashSet());
    }

    [Theory]
    [InlineData("patient/*.cruds")]
    [InlineData("patient/Observation.rs user/Patient.rs")]
    [InlineData("openid patient/*.rs")]
    [InlineData("patient/*.rs system/*.rs")]
    public async Task Refresh_WithMore_IsInvalidScope_AndUsesNothingUp(string scope)
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var first = await app.LaunchAsync(browser, "offline_access patient/*.rs");

        Assert.Equal((400, "invalid_scope"), await app.RefreshAsync(first, ("scope", scope)) is var refused ? (refused.Status, refused.Error) : default);
        Assert.Equal(200, (await app.RefreshAsync(first)).Status);
    }

    [Fact]
    public async Task RefreshToken_UsedTwice_EndsTheWholeFamily()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var first = await app.LaunchAsync(browser, "offline_access patient/*.rs");
        using var elsewhere = new Browser(_server);
        var other = await app.LaunchAsync(elsewhere, "offline_access patient/*.rs");
        var second = await app.RefreshAsync(first);

        var stolen = await app.RefreshAsync(first);

        Assert.Equal((400, "invalid_grant"), (stolen.Status, stolen.Error));
        Assert.Equal("invalid_grant", (await app.RefreshAsync(second)).Error);
        Assert.NotNull((await _server.Authenticator.AuthenticateAsync($"Bearer {second.AccessToken}", default)).Failure);
        Assert.Equal(200, (await app.RefreshAsync(other)).Status); // the same user's other device goes on
    }

    [Fact]
    public async Task PublicClient_NeedNotNameItself_AConfidentialOneMustProveItself()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        var secretive = await new SmartApp(_server, "secretive", "a-secret-of-the-app").RegisterAsync();
        using var browser = new Browser(_server);
        var answer = await app.LaunchAsync(browser, "offline_access patient/*.rs");
        var guarded = await secretive.LaunchAsync(browser, "offline_access patient/*.rs");

        var refreshed = await app.RefreshAsync(answer, ("client_id", null));
        Assert.Equal(200, refreshed.Status);
        Assert.Contains((await app.RefreshAsync(guarded, ("client_id", null))).Error, new[] { "invalid_client", "invalid_request" });
        Assert.Contains((await app.RefreshAsync(guarded, ("client_id", "secretive"))).Error, new[] { "invalid_client" });
        Assert.Equal("invalid_grant", (await app.RefreshAsync(guarded)).Error); // another client's
        Assert.Equal(200, (await secretive.RefreshAsync(guarded)).Status);
    }

    [Fact]
    public async Task OnlineAccess_EndsWithTheSession_OfflineDoesNot()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var online = await app.LaunchAsync(browser, "online_access patient/*.rs");
        using var another = new Browser(_server);
        var offline = await app.LaunchAsync(another, "offline_access patient/*.rs");
        online = await app.RefreshAsync(online);
        Assert.Equal(200, online.Status);

        await browser.GoAsync("/auth/account");
        await browser.SubmitAsync("sign-out");
        await another.GoAsync("/auth/account");
        await another.SubmitAsync("sign-out");

        Assert.Equal((400, "invalid_grant"), await app.RefreshAsync(online) is var ended ? (ended.Status, ended.Error) : default);
        Assert.Equal(200, (await app.RefreshAsync(offline)).Status);
    }

    [Fact]
    public async Task RefreshToken_EndsAfterItsTime()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var answer = await app.LaunchAsync(browser, "offline_access patient/*.rs");
        _database.Clock.Advance(TimeSpan.FromDays(31));

        Assert.Equal("invalid_grant", (await app.RefreshAsync(answer)).Error);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Revocation_EndsWhatIsRevoked(bool refreshToken)
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var answer = await app.LaunchAsync(browser, "offline_access patient/*.rs");
        Assert.Null((await _server.Authenticator.AuthenticateAsync($"Bearer {answer.AccessToken}", default)).Failure);

        using var revoked = await _server.Http.PostAsync("/auth/revoke", new FormUrlEncodedContent(
            [new("token", refreshToken ? answer.Body.GetProperty("refresh_token").GetString()! : answer.AccessToken), new("client_id", app.Id)]));

        Assert.Equal(200, (int)revoked.StatusCode);
        _database.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull((await _server.Authenticator.AuthenticateAsync($"Bearer {answer.AccessToken}", default)).Failure);
        Assert.Equal(refreshToken ? 400 : 200, (await app.RefreshAsync(answer)).Status);
    }

    [Fact]
    public async Task Introspection_SaysWhatTheTokenResponseSaid()
    {
        var app = await new SmartApp(_server, secret: "a-secret-of-the-app").RegisterAsync();
        using var browser = new Browser(_server);
        var answer = await app.LaunchAsync(browser, "openid fhirUser offline_access patient/*.rs");

        foreach (var (client, secret) in new[] { (TestServer.ClientId, TestServer.Secret), (app.Id, "a-secret-of-the-app") })
        {
            var told = await IntrospectAsync(answer.AccessToken, client, secret);
            Assert.Equal(200, told.Status);
            Assert.True(told.Body.GetProperty("active").GetBoolean());
            Assert.Equal(app.Id, told.Body.GetProperty("client_id").GetString());
            Assert.Equal(answer.Scope!.Split(' ').Order(), told.Scope!.Split(' ').Order());
            Assert.Equal("anna", told.Body.GetProperty("patient").GetString());
            Assert.Equal("https://clinic.example/fhir/Patient/anna", told.Body.GetProperty("fhirUser").GetString());
            var id = new JsonWebToken(answer.Body.GetProperty("id_token").GetString());
            Assert.Equal((id.Issuer, id.Subject), (told.Body.GetProperty("iss").GetString(), told.Body.GetProperty("sub").GetString()));
            Assert.Equal(_database.Clock.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds(), told.Body.GetProperty("exp").GetInt64());
        }
    }

    [Fact]
    public async Task Introspection_OfWhatIsNotGood_OrNotTheirs_IsInactive()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        await _server.Clients.RegisterAsync("curious", "sixteen-characters", "system/*.rs", default);
        using var browser = new Browser(_server);
        var answer = await app.LaunchAsync(browser, "patient/*.rs");

        foreach (var told in new[]
        {
            await IntrospectAsync("rubbish", TestServer.ClientId, TestServer.Secret),
            await IntrospectAsync(answer.AccessToken[..^4] + "AAAA", TestServer.ClientId, TestServer.Secret),
            await IntrospectAsync(answer.AccessToken, "curious", "sixteen-characters"),
        })
        {
            Assert.Equal(200, told.Status);
            Assert.Equal("{\"active\":false}", told.Body.GetRawText());
        }
        var stranger = await IntrospectAsync(answer.AccessToken, TestServer.ClientId, "not-the-secret-of-it");
        Assert.Equal((401, "invalid_client"), (stranger.Status, stranger.Error));
        _database.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("{\"active\":false}", (await IntrospectAsync(answer.AccessToken, TestServer.ClientId, TestServer.Secret)).Body.GetRawText());
    }

    private async Task<TokenAnswer> IntrospectAsync(string token, string client, string secret)
    {
        var response = await _server.Http.PostAsync("/auth/introspect", new FormUrlEncodedContent([new("token", token), new("client_id", client), new("client_secret", secret)]));
        return new(response, System.Text.Json.JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }
}
