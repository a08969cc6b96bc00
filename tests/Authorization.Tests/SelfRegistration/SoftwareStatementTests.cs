using System.Text.Json.Nodes;
using Authorization.Tests.Clients;
using Authorization.Tests.Launch;
using Authorization.Tests.Pages;

namespace Authorization.Tests.SelfRegistration;

/// <summary>https://www.rfc-editor.org/rfc/rfc7591#section-2.3: somebody whom the settings trust vouches for an app, and for what it says.</summary>
public sealed class SoftwareStatementTests : IAsyncLifetime
{
    private const string Issuer = "https://directory.example";
    private readonly Database _database = new();
    private readonly Signer _key = new("ES256");
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(
            _database, ("Auth:Registration:StatementIssuers:0:Issuer", Issuer), ("Auth:Registration:StatementIssuers:0:Jwks", Signer.KeySet(_key.PublicKey())));
        await _server.AddAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
        _key.Dispose();
    }

    [Fact]
    public async Task StatementThatSaysAll_ApprovesTheApp_AndWinsOverWhatTheAppSays()
    {
        var app = await _server.RegisterAsync(
            ("software_statement", Statement()), ("client_name", "Something Else"), ("redirect_uris", new JsonArray("https://evil.example/callback")), ("scope", "openid fhirUser offline_access patient/*.cruds user/*.cruds"));

        Assert.Equal((201, "approved", "Vouched App", "openid patient/*.rs"), (app.Status, app.Text("registration_status"), app.Text("client_name"), app.Text("scope")));
        Assert.Equal(RegisteringApp.Redirect, app.Body.GetProperty("redirect_uris")[0].GetString());
        Assert.Equal("ClientChange registered-by-statement", _database.Trail.Told[^1]);
        using var browser = new Browser(_server);
        await new SmartApp(_server, app.Id).LaunchAsync(browser, "openid patient/*.rs");
    }

    [Theory]
    [InlineData("client_name")]
    [InlineData("scope")]
    [InlineData("redirect_uris")]
    public async Task StatementThatLeavesSomethingOpen_ApprovesNothing(string left)
    {
        var app = await _server.RegisterAsync(("software_statement", Statement(claims => claims.Remove(left))));

        Assert.Equal((201, "pending"), (app.Status, app.Text("registration_status")));
    }

    /// <summary>An app that brings its own keys to somebody else's statement is not that app.</summary>
    [Fact]
    public async Task KeysThatAreNotInTheStatement_ApproveNothing()
    {
        using var own = new Signer("ES384");
        var app = await _server.RegisterAsync(("software_statement", Statement()), ("token_endpoint_auth_method", "private_key_jwt"), ("jwks", JsonNode.Parse(Signer.KeySet(own.PublicKey()))));

        Assert.Equal("pending", app.Text("registration_status"));
    }

    public static readonly TheoryData<string, string> Wrong = new()
    {
        { "another issuer", "unapproved_software_statement" },
        { "no issuer", "invalid_software_statement" },
        { "another key", "invalid_software_statement" },
        { "alg none", "invalid_software_statement" },
        { "changed", "invalid_software_statement" },
        { "expired", "invalid_software_statement" },
        { "endless", "invalid_software_statement" },
        { "not yet", "invalid_software_statement" },
        { "for another server", "invalid_software_statement" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task StatementThatIsWrong_IsRefused(string wrong, string error)
    {
        using var other = new Signer("ES256");
        var statement = wrong switch
        {
            "another issuer" => Statement(claims => claims["iss"] = "https://evil.example"),
            "no issuer" => Statement(claims => claims.Remove("iss")),
            "another key" => Statement(signer: other),
            "alg none" => $"{Signer.Encode(new() { ["alg"] = "none", ["kid"] = _key.KeyId })}.{Statement().Split('.')[1]}.",
            "changed" => string.Join('.', Statement().Split('.') is [var header, _, var signature] ? [header, Statement(claims => claims["client_name"] = "X").Split('.')[1], signature] : Array.Empty<string>()),
            "expired" => Statement(claims => claims["exp"] = _database.Clock.GetUtcNow().ToUnixTimeSeconds()),
            "endless" => Statement(claims => claims.Remove("exp")),
            "not yet" => Statement(claims => claims["nbf"] = _database.Clock.GetUtcNow().AddHours(1).ToUnixTimeSeconds()),
            "for another server" => Statement(claims => claims["aud"] = "https://elsewhere.example/auth/clients"),
            _ => throw new ArgumentOutOfRangeException(nameof(wrong), wrong, null),
        };

        var refused = await _server.RegisterAsync(("software_statement", statement));

        Assert.Equal((400, error), (refused.Status, refused.Error));
        Assert.Equal(1, await _database.Store.CountAsync(Authorization.Stores.ApplicationIndex.RecordType, FhirCore.Records.Predicate.Everything, 10, default));
    }

    /// <summary>What the settings give is the most, whoever vouches.</summary>
    [Fact]
    public async Task StatementForMoreThanTheSettingsGive_GivesNoMore()
    {
        var app = await _server.RegisterAsync(("software_statement", Statement(claims => claims["scope"] = "openid patient/*.rs system/*.cruds")));

        Assert.Equal("openid patient/*.rs", app.Text("scope"));
    }

    private string Statement(Action<JsonObject>? change = null, Signer? signer = null)
    {
        var claims = new JsonObject
        {
            ["iss"] = Issuer, ["exp"] = _database.Clock.GetUtcNow().AddDays(30).ToUnixTimeSeconds(), ["software_id"] = "good-app", ["client_name"] = "Vouched App",
            ["redirect_uris"] = new JsonArray(RegisteringApp.Redirect), ["scope"] = "openid patient/*.rs",
        };
        change?.Invoke(claims);
        return (signer ?? _key).Sign(_key.Header(), claims);
    }
}
