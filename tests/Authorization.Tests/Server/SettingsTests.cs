using System.Text.Json;
using Authorization.Access;
using Authorization.Discovery;
using Authorization.Server;
using Microsoft.Extensions.Options;

namespace Authorization.Tests.Server;

public sealed class SettingsTests : IAsyncLifetime
{
    private readonly Database _database = new();

    public ValueTask InitializeAsync() => default;

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory]
    [InlineData("Auth:AccessTokenLifetime", "00:00:30")]
    [InlineData("Auth:AccessTokenLifetime", "02:00:00")]
    [InlineData("Auth:Clients:0:ClientId", "")]
    [InlineData("Auth:Clients:0:ClientId", "with space")]
    [InlineData("Auth:Clients:0:ClientId", "with:colon")]
    [InlineData("Auth:Clients:0:ClientSecret", "fifteen-letters")]
    [InlineData("Auth:Clients:0:ClientSecret", "")]
    [InlineData("Auth:Clients:0:Scope", "")]
    [InlineData("Auth:Clients:0:Scope", "system/Patient.sr")]
    [InlineData("Auth:Clients:0:Scope", "system/Patient.rs user/Patient.rs")]
    [InlineData("Auth:Clients:0:Scope", "system/Patient.rs openid")]
    [InlineData("Auth:Clients:0:Scope", "system/Patient.rs?")]
    [InlineData("Auth:Clients:0:Jwks", "{\"keys\":[]}")]
    [InlineData("Auth:Clients:0:Origins:0", "https://ehr.example/path")]
    [InlineData("Auth:Clients:0:PostLogoutRedirectUris:0", "javascript:alert(1)")]
    [InlineData("Auth:Clients:0:LaunchUrl", "http://ehr.example/launch")]
    [InlineData("Auth:Clients:0:Name", "bell\u0007")]
    [InlineData("Auth:AllowedPrivateEndpoints:0", "10.0.0.0/33")]
    [InlineData("Auth:AllowedPrivateEndpoints:0", "localhost")]
    [InlineData("Auth:Clients:0:JwksUri", "https://ehr.example/jwks")]
    [InlineData("Auth:Clients:0:RedirectUris:0", "https://ehr.example/callback")]
    [InlineData("Auth:Registration:Scope", "system/Patient.sr")]
    [InlineData("Auth:Registration:PendingLifetime", "00:30:00")]
    [InlineData("Auth:Registration:MostPending", "0")]
    [InlineData("Auth:Registration:StatementIssuers:0:Issuer", "https://directory.example")]
    [InlineData("Auth:Registration:StatementIssuers:0:Jwks", "{\"keys\":[]}")]
    [InlineData("Auth:ExternalProviders:0:Name", "Hospital")]
    [InlineData("Auth:ExternalProviders:0:Name", "")]
    [InlineData("Auth:ExternalProviders:0:Issuer", "http://idp.example")]
    [InlineData("Auth:ExternalProviders:0:Issuer", "https://10.0.0.1")]
    [InlineData("Auth:ExternalProviders:0:Issuer", "https://idp.example/?tenant=1")]
    [InlineData("Auth:ExternalProviders:0:ClientId", "")]
    [InlineData("Auth:ExternalProviders:0:Scopes", "profile email")]
    [InlineData("Auth:ExternalProviders:0:PractitionerSystem", "https://hospital.example/staff")]
    [InlineData("Auth:ExternalProviders:0:Organization", "Organization/1")]
    [InlineData("Auth:ExternalProviders:0:Parameters:state", "mine")]
    public async Task WrongValue_StopsTheStart_NamingTheKey(string key, string value)
    {
        (string, string?)[] provider = key.StartsWith("Auth:ExternalProviders:0:", StringComparison.Ordinal)
            ? [("Auth:ExternalProviders:0:Name", "hospital"), ("Auth:ExternalProviders:0:Issuer", "https://idp.example"), ("Auth:ExternalProviders:0:ClientId", "clinic")] : [];
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => TestServer.StartAsync(_database, [.. provider.Where(setting => setting.Item1 != key), (key, value)]));

        Assert.Contains(key.EndsWith("s:0", StringComparison.Ordinal) ? key[..^2] : key.Replace(":0:Issuer", key.Contains("Statement", StringComparison.Ordinal) ? ":0:JwksUri" : ":0:Issuer", StringComparison.Ordinal), refusal.Message, StringComparison.Ordinal);
        Assert.True(!key.EndsWith("Secret", StringComparison.Ordinal) || value.Length == 0 || !refusal.Message.Contains(value, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Auth:AccessTokenLifeTimes")]
    [InlineData("Auth:Clients:0:RedirectUri")]
    [InlineData("Auth:Clients:ClientId")]
    [InlineData("Auth:Brand:Logo")]
    [InlineData("Auth:Registration:StatementIssuers:0:JwksUrl")]
    [InlineData("Auth:ExternalProviders:0:LinkByEmail")]
    [InlineData("Auth:Accounts:PasswordRounds")]
    [InlineData("Auth:Accounts:FirstAdministrator:Name")]
    [InlineData("Auth:Account:SelfRegistration")]
    public async Task UnknownSetting_StopsTheStart_NamingTheKey(string key)
    {
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => TestServer.StartAsync(_database, (key, "a-value-of-theirs")));

        Assert.Contains($"{(key.StartsWith("Auth:Account:", StringComparison.Ordinal) ? "Auth:Account" : key)}: no such setting.", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("a-value-of-theirs", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OneClientIdTwice_StopsTheStart()
    {
        var refusal = await Assert.ThrowsAsync<OptionsValidationException>(() => TestServer.StartAsync(
            _database, ("Auth:Clients:1:ClientId", "ehr"), ("Auth:Clients:1:ClientSecret", "sixteen-characters"), ("Auth:Clients:1:Scope", "system/*.rs")));

        Assert.Contains("Auth:Clients:1:ClientId", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clinic.example/fhir")]
    [InlineData("ftp://clinic.example/fhir")]
    [InlineData("https://clinic.example/fhir?x=1")]
    public void BaseUrl_ThatIsNone_IsNamed(string baseUrl) =>
        Assert.Contains("Server:BaseUrl", Assert.Throws<InvalidOperationException>(() => PublicAddresses.Of(baseUrl)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("http://localhost:8080/fhir", "http://localhost:8080/fhir", "http://localhost:8080/auth")]
    [InlineData("https://clinic.example/fhir/", "https://clinic.example/fhir", "https://clinic.example/auth")]
    [InlineData("https://clinic.example/a/b/fhir", "https://clinic.example/a/b/fhir", "https://clinic.example/a/b/auth")]
    [InlineData("https://fhir.clinic.example", "https://fhir.clinic.example", "https://fhir.clinic.example/auth")]
    public void Issuer_StandsNextToTheFhirBase(string baseUrl, string fhirBase, string issuer)
    {
        var addresses = PublicAddresses.Of(baseUrl);

        Assert.Equal((fhirBase, issuer), (addresses.FhirBase, addresses.Issuer));
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", true)]
    [InlineData("http://localhost:0;https://[::1]:8443", true)]
    [InlineData("http://unix:/run/fhir.sock", true)]
    [InlineData("http://0.0.0.0:8080", false)]
    [InlineData("http://[::]:8080", false)]
    [InlineData("http://*:8080", false)]
    [InlineData("http://+:8080", false)]
    [InlineData("http://127.0.0.1:8080;http://192.168.1.5:8080", false)]
    [InlineData("http://localhost.evil.example:80", false)]
    [InlineData("", false)]
    public void LoopbackOnly_KnowsWhoCanReachIt(string urls, bool passes)
    {
        if (passes)
        {
            LoopbackOnly.Check([urls]);
        }
        else
        {
            Assert.Contains("Auth:AllowAnonymousOnLoopback", Assert.Throws<InvalidOperationException>(() => LoopbackOnly.Check([urls])).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AnonymousOnLoopback_NeedsNoToken_AndMayDoEverything()
    {
        await using var server = await TestServer.StartAsync(_database, ("Auth:AllowAnonymousOnLoopback", "true"));

        using var call = await server.CallAsync(null);
        Assert.Equal("anonymous-on-loopback", await call.Content.ReadAsStringAsync());
        var grant = (await server.Authenticator.AuthenticateAsync(null, default)).Value;
        Assert.Null(AccessDecision.Decide(grant, Interaction.HistorySystem, null));
        Assert.Null(AccessDecision.Decide(grant, Interaction.Operation, "Appointment", "book"));
    }

    [Fact]
    public async Task AnonymousOnAllAddresses_StopsTheStart()
    {
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(
            _database, ("Auth:AllowAnonymousOnLoopback", "true"), ("urls", "http://0.0.0.0:0")));

        Assert.Contains("0.0.0.0", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SmartConfiguration_SaysWhatIsThere()
    {
        using var document = JsonDocument.Parse(SmartConfiguration.Write(PublicAddresses.Of("https://clinic.example/fhir")));
        var root = document.RootElement;

        Assert.Equal("https://clinic.example/auth/token", root.GetProperty("token_endpoint").GetString());
        Assert.Equal("https://clinic.example/auth", root.GetProperty("issuer").GetString());
        Assert.Equal("https://clinic.example/auth/authorize", root.GetProperty("authorization_endpoint").GetString());
        Assert.Equal(["authorization_code", "client_credentials", "refresh_token"], Strings("grant_types_supported"));
        Assert.Equal(["S256"], Strings("code_challenge_methods_supported"));
        Assert.Equal(["client_secret_basic", "client_secret_post", "private_key_jwt"], Strings("token_endpoint_auth_methods_supported"));
        Assert.Superset(new HashSet<string> { "permission-v1", "permission-v2", "client-confidential-symmetric" }, Strings("capabilities").ToHashSet());
        Assert.DoesNotContain("context-style", Strings("capabilities")); // no style is set
        Assert.Equal("https://clinic.example/auth/clients", root.GetProperty("registration_endpoint").GetString());
        Assert.Equal("https://clinic.example/app-state", root.GetProperty("smart_app_state_endpoint").GetString());
        Assert.All(root.EnumerateObject().Where(member => member.Name.EndsWith("_endpoint", StringComparison.Ordinal) || member.Name.EndsWith("_uri", StringComparison.Ordinal)),
            member => Assert.True(Uri.IsWellFormedUriString(member.Value.GetString(), UriKind.Absolute), member.Name));

        string[] Strings(string name) => [.. root.GetProperty(name).EnumerateArray().Select(value => value.GetString()!)];
    }

    [Fact]
    public async Task SmartConfiguration_SystemScopesItLists_CanBeGranted()
    {
        await using var server = await TestServer.StartAsync(_database, ("Auth:Clients:0:Scope", "system/*.cruds"));
        using var document = JsonDocument.Parse(SmartConfiguration.Write(PublicAddresses.Of(TestServer.BaseUrl)));

        foreach (var scope in document.RootElement.GetProperty("scopes_supported").EnumerateArray().Select(value => value.GetString()!).Where(scope => scope.StartsWith("system/", StringComparison.Ordinal)))
        {
            Assert.Equal(scope, (await server.AskAsync(scope)).Scope);
        }
    }
}
