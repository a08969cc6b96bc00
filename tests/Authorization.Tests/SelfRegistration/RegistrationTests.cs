using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Authorization.Access;
using Authorization.Clients;
using Authorization.Server;
using Authorization.Stores;
using Authorization.Tests.Clients;
using Authorization.Tests.Launch;
using Authorization.Tests.Pages;
using FhirCore.Records;
using Microsoft.Extensions.DependencyInjection;

namespace Authorization.Tests.SelfRegistration;

/// <summary>https://www.rfc-editor.org/rfc/rfc7591 and 7592: an app registers itself, and can do nothing until an administrator has approved what they saw.</summary>
public sealed class RegistrationTests : IAsyncLifetime
{
    private readonly Database _database = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(_database, ("Auth:Registration:Scope", "openid fhirUser launch launch/patient offline_access patient/*.rs patient/Appointment.cruds user/*.rs system/Patient.rs"));
        await _server.AddAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Registration_IsAnsweredAsRfc7591Says()
    {
        var app = await _server.RegisterAsync(("made_up_member", "x"), ("software_id", "good-app"), ("initiate_login_uri", "https://app.example/launch"));

        Assert.Equal(201, app.Status);
        Assert.Equal("application/json", app.Response.Content.Headers.ContentType!.MediaType);
        Assert.True(app.Response.Headers.CacheControl!.NoStore);
        Assert.Equal("no-cache", app.Response.Headers.Pragma.ToString());
        Assert.StartsWith("app-", app.Id, StringComparison.Ordinal);
        Assert.Equal(_database.Clock.GetUtcNow().ToUnixTimeSeconds(), app.Body.GetProperty("client_id_issued_at").GetInt64());
        Assert.Equal($"https://clinic.example/auth/clients/{app.Id}", app.Text("registration_client_uri"));
        Assert.Equal("pending", app.Text("registration_status"));
        Assert.Equal("Good App", app.Text("client_name"));
        Assert.Equal("openid fhirUser launch/patient offline_access patient/*.rs", app.Text("scope"));
        Assert.Equal("code", app.Body.GetProperty("response_types")[0].GetString());
        Assert.Equal("good-app", app.Text("software_id"));
        Assert.False(app.Body.TryGetProperty("made_up_member", out _));
        Assert.False(app.Body.TryGetProperty("client_secret", out _));
        Assert.Equal("ClientChange registered", _database.Trail.Told[^1]);
        Assert.Equal(app.Id, _database.Trail.Last.About);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("client_secret_basic")]
    [InlineData("client_secret_post")]
    [InlineData("private_key_jwt")]
    public async Task AppThatWaits_CanDoNothing_AndWhatIsApprovedWorks(string method)
    {
        using var key = new Signer("ES384");
        var app = await _server.RegisterAsync(("token_endpoint_auth_method", method), ("jwks", method == "private_key_jwt" ? JsonNode.Parse(Signer.KeySet(key.PublicKey())) : null));
        Assert.Equal(method.StartsWith("client_secret", StringComparison.Ordinal), app.Text("client_secret") is { Length: >= 40 });
        Assert.Equal(app.Text("client_secret") is not null, app.Body.TryGetProperty("client_secret_expires_at", out var never) && never.GetInt32() == 0);
        var smart = new SmartApp(_server, app.Id);
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);

        await browser.GoAsync(smart.Authorize("openid patient/*.rs"));
        Assert.Equal((400, "The app's request cannot be answered"), (browser.Status, browser.Title));
        Assert.Equal(method == "none" ? "invalid_request" : "invalid_client", (await ProveAsync(new("grant_type", "client_credentials"), new("scope", "system/Patient.rs"))).Error);
        Assert.Equal("invalid_client", (await ProveAsync(new("grant_type", "authorization_code"), new("code", "x"), new("redirect_uri", RegisteringApp.Redirect), new("code_verifier", new string('v', 43)))).Error);
        foreach (var endpoint in new[] { "introspect", "revoke" })
        {
            using var answer = await _server.Http.PostAsync($"/auth/{endpoint}", new FormUrlEncodedContent(await FormAsync([new("token", "x")])));
            Assert.Contains((int)answer.StatusCode, new[] { 400, 401 });
        }
        Assert.False(await _server.Services.GetRequiredService<ClientOrigins>().AreRegisteredAsync("https://app.example", default));

        using (var admin = await _server.AdministratorAsync())
        {
            await admin.SubmitAsync("app-requests", ("decision", "approve"));
            Assert.Contains("No app is waiting", admin.Text, StringComparison.Ordinal);
        }
        Assert.Equal("ClientChange approved", _database.Trail.Told[^1]);
        _database.Clock.Advance(TimeSpan.FromMinutes(2)); // for the throttle, and what is known of origins
        await browser.SignInAsync(People.Anna, People.Password);
        await browser.GoAsync(smart.Authorize("openid fhirUser offline_access patient/*.rs"));
        await browser.SubmitAsync("authorize", ("decision", "allow"));
        var code = smart.Returned(browser).Code!;
        var tokens = await smart.RedeemAsync(code, [.. (await FormAsync([])).Select(pair => (pair.Key, (string?)pair.Value))]);
        Assert.True(tokens.Status == 200, tokens.Body.GetRawText());
        Assert.Equal("anna", tokens.Body.GetProperty("patient").GetString());
        Assert.True(await _server.Services.GetRequiredService<ClientOrigins>().AreRegisteredAsync("https://app.example", default));

        async Task<TokenAnswer> ProveAsync(params KeyValuePair<string, string>[] form) => await _server.AskAsync(new Dictionary<string, string>(await FormAsync(form)));

        Task<List<KeyValuePair<string, string>>> FormAsync(IEnumerable<KeyValuePair<string, string>> form)
        {
            var all = form.ToList();
            switch (method)
            {
                case "none":
                    all.Add(new("client_id", app.Id));
                    break;
                case "private_key_jwt":
                    all.AddRange(Signer.Form(key.Sign(key.Header(), Signer.Claims(app.Id, _database.Clock.GetUtcNow()))).Where(pair => pair.Key.StartsWith("client_", StringComparison.Ordinal)));
                    break;
                default:
                    all.AddRange([new("client_id", app.Id), new("client_secret", app.Text("client_secret")!)]);
                    break;
            }
            return Task.FromResult(all);
        }
    }

    [Fact]
    public async Task BackendService_IsApprovedLikeAnyOther()
    {
        using var key = new Signer("RS384");
        var app = await _server.RegisterAsync(
            ("redirect_uris", null), ("grant_types", new JsonArray("client_credentials")), ("token_endpoint_auth_method", "private_key_jwt"), ("jwks", JsonNode.Parse(Signer.KeySet(key.PublicKey()))), ("scope", "system/*.cruds"));
        Assert.Equal("system/Patient.rs", app.Text("scope")); // of what it asked for, the most the settings give
        using var admin = await _server.AdministratorAsync();
        Assert.Contains("Of everybody, without asking anybody.", admin.Text, StringComparison.Ordinal);
        await admin.SubmitAsync("app-requests", ("decision", "approve"));

        var answer = await _server.AskAsync(Signer.Form(key.Sign(key.Header(), Signer.Claims(app.Id, _database.Clock.GetUtcNow()))));
        Assert.Equal("system/Patient.rs", answer.Scope);
    }

    public static readonly TheoryData<string, string?, string> Wrong = new()
    {
        { "client_name", null, "invalid_client_metadata" },
        { "client_name", "\" \"", "invalid_client_metadata" },
        { "client_name", "1", "invalid_client_metadata" },
        { "client_name", "\"bell\\u0007\"", "invalid_client_metadata" },
        { "client_name", $"\"{new string('n', 101)}\"", "invalid_client_metadata" },
        { "redirect_uris", null, "invalid_redirect_uri" },
        { "redirect_uris", "[]", "invalid_redirect_uri" },
        { "redirect_uris", "\"https://app.example/callback\"", "invalid_client_metadata" },
        { "redirect_uris", "[\"http://app.example/callback\"]", "invalid_redirect_uri" },
        { "redirect_uris", "[\"https://app.example/callback#x\"]", "invalid_redirect_uri" },
        { "redirect_uris", "[\"https://*.example/callback\"]", "invalid_redirect_uri" },
        { "redirect_uris", "[\"https://user@app.example/callback\"]", "invalid_redirect_uri" },
        { "redirect_uris", "[\"javascript:alert(1)\"]", "invalid_redirect_uri" },
        { "redirect_uris", "[\"data:text/html,x\"]", "invalid_redirect_uri" },
        { "redirect_uris", "[\"/callback\"]", "invalid_redirect_uri" },
        { "redirect_uris", "[\"https://a.example/1\",\"http://b.example/2\"]", "invalid_redirect_uri" },
        { "post_logout_redirect_uris", "[\"http://app.example/bye\"]", "invalid_redirect_uri" },
        { "grant_types", "[\"implicit\"]", "invalid_client_metadata" },
        { "grant_types", "[\"password\"]", "invalid_client_metadata" },
        { "grant_types", "[\"client_credentials\"]", "invalid_redirect_uri" },
        { "response_types", "[\"token\"]", "invalid_client_metadata" },
        { "token_endpoint_auth_method", "\"tls_client_auth\"", "invalid_client_metadata" },
        { "token_endpoint_auth_method", "\"private_key_jwt\"", "invalid_client_metadata" },
        { "token_endpoint_auth_signing_alg", "\"HS256\"", "invalid_client_metadata" },
        { "jwks", "{\"keys\":[]}", "invalid_client_metadata" },
        { "jwks_uri", "\"https://app.example/jwks\"", "invalid_client_metadata" },
        { "scope", null, "invalid_client_metadata" },
        { "scope", "\"\"", "invalid_client_metadata" },
        { "scope", "\"system/Observation.rs nonsense\"", "invalid_client_metadata" },
        { "scope", "\"system/Patient.rs patient/*.rs\"", "invalid_client_metadata" }, // a public app
        { "contacts", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]", "invalid_client_metadata" },
        { "contacts", "[1]", "invalid_client_metadata" },
        { "client_uri", "\"javascript:alert(1)\"", "invalid_client_metadata" },
        { "logo_uri", "\"http://app.example/logo\"", "invalid_client_metadata" },
        { "initiate_login_uri", "\"http://app.example/launch\"", "invalid_client_metadata" },
        { "software_statement", "\"not.a.jwt\"", "invalid_software_statement" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task MetadataThatIsWrong_IsRefused_AndLeavesNothing(string name, string? value, string error)
    {
        var refused = await _server.RegisterAsync((name, value is null ? null : JsonNode.Parse(value)));

        Assert.Equal((400, error), (refused.Status, refused.Error));
        Assert.NotEmpty(refused.Text("error_description")!);
        Assert.True(refused.Response.Headers.CacheControl!.NoStore);
        Assert.Equal(1, await ClientsAsync());
        Assert.Equal($"ClientChange {error} refused", _database.Trail.Told[^1]);
    }

    [Theory]
    [InlineData("private_key_jwt", "{\"keys\":[]}", null)]
    [InlineData("private_key_jwt", "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"1\",\"k\":\"AAAA\"}]}", null)]
    [InlineData("private_key_jwt", "\"text\"", null)]
    [InlineData("private_key_jwt", null, "http://app.example/jwks")]
    [InlineData("private_key_jwt", null, "https://169.254.169.254/jwks")]
    [InlineData("private_key_jwt", null, "https://[::1]/jwks")]
    [InlineData("private_key_jwt", "{\"keys\":[]}", "https://app.example/jwks")]
    public async Task KeysThatAreWrong_AreRefused(string method, string? jwks, string? address)
    {
        var refused = await _server.RegisterAsync(("token_endpoint_auth_method", method), ("jwks", jwks is null ? null : JsonNode.Parse(jwks)), ("jwks_uri", address));

        Assert.Equal((400, "invalid_client_metadata"), (refused.Status, refused.Error));
        Assert.Equal(1, await ClientsAsync());
    }

    [Theory]
    [InlineData("[]", "application/json")]
    [InlineData("{", "application/json")]
    [InlineData("null", "application/json")]
    [InlineData("{\"client_name\":\"A\",\"client_name\":\"B\"}", "application/json")]
    [InlineData("client_name=Good+App", "application/x-www-form-urlencoded")]
    public async Task BodyThatIsNoMetadata_IsRefused(string body, string type)
    {
        Assert.Equal("invalid_client_metadata", (await _server.SendAsync(HttpMethod.Post, "/auth/clients", null, body, type)).Error);
    }

    [Fact]
    public async Task BodyThatIsTooLarge_IsRefusedUnread()
    {
        var refused = await _server.RegisterAsync(("software_id", new string('x', 40 * 1024)));

        Assert.Equal(413, refused.Status);
        Assert.Equal(1, await ClientsAsync());
    }

    [Fact]
    public async Task Administrator_SeesWhatItAsksFor_InPlainWords_WithoutItsMarkup()
    {
        var app = await _server.RegisterAsync(("client_name", "<b onclick=x>Bold</b>"), ("contacts", new JsonArray("<img src=x>")), ("scope", "openid patient/Appointment.cruds user/Observation.rs"));
        using var admin = await _server.AdministratorAsync();

        Assert.Contains("<b onclick=x>Bold</b>", admin.Text, StringComparison.Ordinal);
        Assert.Contains(app.Id, admin.Text, StringComparison.Ordinal);
        Assert.Contains("Appointments: add new ones, read them, change them, delete them, search them. Of one patient, with their consent.", admin.Text, StringComparison.Ordinal);
        Assert.Contains("Measurements and observations: read them, search them. All that its user may see.", admin.Text, StringComparison.Ordinal);
        Assert.Contains("https://app.example/callback", admin.Text, StringComparison.Ordinal);
        Assert.Empty(admin.Page.QuerySelectorAll("main b, main img, main a[href^='https://app.example']"));
    }

    [Theory]
    [InlineData(Role.Patient)]
    [InlineData(Role.Practitioner)]
    [InlineData(Role.Receptionist)]
    [InlineData(Role.Manager)]
    [InlineData(Role.Auditor)]
    public async Task OthersThanAdministrators_SeeNoneAndDecideNothing(Role role)
    {
        var app = await _server.RegisterAsync();
        using var admin = await _server.AdministratorAsync();
        var (path, form) = admin.FormOf("app-requests");
        await _server.AddAsync("someone", fhirUser: null, roles: role);
        using var browser = new Browser(_server);
        await browser.SignInAsync("someone", People.Password, "/auth/app-requests");
        Assert.Equal(403, browser.Status);
        form["decision"] = "approve";
        form["form_token"] = FormTokenOf(browser);

        await browser.PostAsync(path, form);

        Assert.Equal(403, browser.Status);
        Assert.Equal("pending", (await _server.SendAsync(HttpMethod.Get, app.Path, app.Token)).Text("registration_status"));
    }

    [Fact]
    public async Task AppThatIsRefused_OrTakenBack_IsGone_WithAllItWasGiven()
    {
        var refused = await _server.RegisterAsync();
        using var admin = await _server.AdministratorAsync();
        await admin.SubmitAsync("app-requests", ("decision", "refuse"));
        Assert.Equal(401, (await _server.SendAsync(HttpMethod.Get, refused.Path, refused.Token)).Status);

        var app = await ApprovedAsync(admin);
        using var browser = new Browser(_server);
        var smart = new SmartApp(_server, app.Id);
        var tokens = await smart.LaunchAsync(browser, "offline_access patient/*.rs");
        await admin.GoAsync("/auth/app-requests");
        await admin.SubmitAsync("app-requests", ("decision", "refuse"));

        Assert.NotEqual(200, (await smart.RefreshAsync(tokens)).Status);
        Assert.NotNull((await _server.Authenticator.AuthenticateAsync($"Bearer {tokens.AccessToken}", default)).Failure);
        Assert.Equal(1, await ClientsAsync());
        Assert.Equal(2, _database.Trail.Told.Count(told => told == "ClientChange refused"));
    }

    [Fact]
    public async Task Approval_IsOfWhatWasLookedAt_NotOfWhatCameAfterwards()
    {
        var app = await _server.RegisterAsync();
        using var admin = await _server.AdministratorAsync();
        var changed = await _server.SendAsync(HttpMethod.Put, app.Path, app.Token, RegisteringApp.Metadata(("client_id", app.Id), ("redirect_uris", new JsonArray("https://evil.example/callback"))).ToJsonString());
        Assert.Equal(200, changed.Status);

        await admin.SubmitAsync("app-requests", ("decision", "approve"));

        Assert.Equal((409, "The app has changed"), (admin.Status, admin.Title));
        Assert.Equal("pending", (await _server.SendAsync(HttpMethod.Get, app.Path, app.Token)).Text("registration_status"));
    }

    [Fact]
    public async Task ChangeOfAnApprovedApp_MakesItWaitAgain_AndEndsWhatItWasGiven()
    {
        using var admin = await _server.AdministratorAsync();
        var app = await ApprovedAsync(admin);
        using var browser = new Browser(_server);
        var smart = new SmartApp(_server, app.Id);
        var tokens = await smart.LaunchAsync(browser, "offline_access patient/*.rs");

        var changed = await _server.SendAsync(HttpMethod.Put, app.Path, app.Token, RegisteringApp.Metadata(("client_id", app.Id), ("client_name", "Better App")).ToJsonString());

        Assert.Equal((200, "pending", "Better App"), (changed.Status, changed.Text("registration_status"), changed.Text("client_name")));
        Assert.Equal(app.Body.GetProperty("client_id_issued_at").GetInt64(), changed.Body.GetProperty("client_id_issued_at").GetInt64());
        Assert.NotNull((await _server.Authenticator.AuthenticateAsync($"Bearer {tokens.AccessToken}", default)).Failure);
        Assert.NotEqual(200, (await smart.RefreshAsync(tokens)).Status);
        await browser.GoAsync(smart.Authorize("patient/*.rs"));
        Assert.Equal(400, browser.Status);
        await admin.GoAsync("/auth/app-requests");
        await admin.SubmitAsync("app-requests", ("decision", "approve"));
        _database.Clock.Advance(TimeSpan.FromMinutes(1));
        await browser.GoAsync(smart.Authorize("patient/*.rs"));
        Assert.Equal("Let Better App use your access?", browser.Title); // asked anew
        Assert.NotEqual(200, (await smart.RefreshAsync(tokens)).Status);
    }

    [Fact]
    public async Task SecretOfAnApp_StaysWhatItWas_ThroughChangeAndApproval()
    {
        var app = await _server.RegisterAsync(("token_endpoint_auth_method", "client_secret_basic"));
        var changed = await _server.SendAsync(
            HttpMethod.Put, app.Path, app.Token, RegisteringApp.Metadata(("client_id", app.Id), ("token_endpoint_auth_method", "client_secret_basic"), ("client_name", "Better App")).ToJsonString());
        Assert.Null(changed.Text("client_secret"));
        using var admin = await _server.AdministratorAsync();
        await admin.SubmitAsync("app-requests", ("decision", "approve"));
        using var browser = new Browser(_server);

        await new SmartApp(_server, app.Id, app.Text("client_secret")).LaunchAsync(browser, "patient/*.rs");
        var open = await _server.SendAsync(HttpMethod.Put, app.Path, app.Token, RegisteringApp.Metadata(("client_id", app.Id)).ToJsonString());
        Assert.Equal("none", open.Text("token_endpoint_auth_method"));
        var again = await _server.SendAsync(HttpMethod.Put, app.Path, app.Token, RegisteringApp.Metadata(("client_id", app.Id), ("token_endpoint_auth_method", "client_secret_post")).ToJsonString());
        Assert.NotEqual(app.Text("client_secret"), again.Text("client_secret"));
        Assert.NotNull(again.Text("client_secret"));
    }

    [Theory]
    [InlineData("client_id", null)]
    [InlineData("client_id", "\"somebody-else\"")]
    [InlineData("client_secret", "\"a-secret-of-my-own-choice\"")]
    [InlineData("registration_access_token", "\"x\"")]
    [InlineData("client_id_issued_at", "1")]
    [InlineData("redirect_uris", "[\"http://app.example/\"]")]
    public async Task ChangeThatIsWrong_IsRefused_AndChangesNothing(string name, string? value)
    {
        var app = await _server.RegisterAsync();
        var metadata = RegisteringApp.Metadata(("client_id", app.Id), ("client_name", "Better App"));
        metadata.Remove(name);
        if (value is not null)
        {
            metadata[name] = JsonNode.Parse(value);
        }

        var refused = await _server.SendAsync(HttpMethod.Put, app.Path, app.Token, metadata.ToJsonString());

        Assert.Equal(400, refused.Status);
        Assert.Equal("Good App", (await _server.SendAsync(HttpMethod.Get, app.Path, app.Token)).Text("client_name"));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task Registration_IsItsOwnersAlone(string method)
    {
        var app = await _server.RegisterAsync();
        var other = await _server.RegisterAsync();
        var body = method == "PUT" ? RegisteringApp.Metadata(("client_id", app.Id)).ToJsonString() : null;
        var access = await _server.TokenAsync();

        foreach (var token in new[] { null, "", "made-up", other.Token, access })
        {
            var refused = await _server.SendAsync(new(method), app.Path, token, body);
            Assert.Equal((401, "invalid_token"), (refused.Status, refused.Error));
            Assert.Contains("invalid_token", refused.Response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }
        Assert.Equal(401, (await _server.SendAsync(new(method), "/auth/clients/nobody", app.Token, body)).Status);
        Assert.Equal(401, (await _server.SendAsync(new(method), $"/auth/clients/{TestServer.ClientId}", app.Token, body)).Status); // of the settings
        var read = await _server.SendAsync(HttpMethod.Get, app.Path, app.Token);
        Assert.Equal((200, app.Token), (read.Status, read.Token));
        Assert.Null(read.Text("client_secret"));
    }

    [Fact]
    public async Task Removal_EndsAllOfIt()
    {
        using var admin = await _server.AdministratorAsync();
        var app = await ApprovedAsync(admin);
        using var browser = new Browser(_server);
        var smart = new SmartApp(_server, app.Id);
        var tokens = await smart.LaunchAsync(browser, "offline_access patient/*.rs");

        Assert.Equal(204, (await _server.SendAsync(HttpMethod.Delete, app.Path, app.Token)).Status);

        Assert.Equal(401, (await _server.SendAsync(HttpMethod.Get, app.Path, app.Token)).Status);
        Assert.NotNull((await _server.Authenticator.AuthenticateAsync($"Bearer {tokens.AccessToken}", default)).Failure);
        Assert.Equal(1, await ClientsAsync());
        Assert.Equal("ClientChange removed", _database.Trail.Told[^2]);
    }

    [Fact]
    public async Task ManyRegistrationsOfOneAddress_MustWait()
    {
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(201, (await _server.RegisterAsync()).Status);
        }
        var refused = await _server.RegisterAsync();

        Assert.Equal((429, "slow_down"), (refused.Status, refused.Error));
        Assert.NotNull(refused.Response.Headers.RetryAfter);
        Assert.Equal(11, await ClientsAsync());
    }

    [Fact]
    public async Task GuessesAtARegistration_MustWait()
    {
        var app = await _server.RegisterAsync();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(401, (await _server.SendAsync(HttpMethod.Get, app.Path, $"guess-{i}")).Status);
        }
        Assert.Equal(429, (await _server.SendAsync(HttpMethod.Get, app.Path, app.Token)).Status);
    }

    [Fact]
    public async Task MoreThanMayWait_AreRefused_AndThoseNobodyApproves_AreForgotten()
    {
        await using var server = await TestServer.StartAsync(_database, ("Auth:Registration:MostPending", "2"), ("Auth:Registration:PendingLifetime", "1.00:00:00"));
        var first = await server.RegisterAsync();
        var second = await server.RegisterAsync();
        var refused = await server.RegisterAsync();
        Assert.Equal((429, "temporarily_unavailable"), (refused.Status, refused.Error));
        using (var admin = await server.AdministratorAsync())
        {
            var (path, form) = admin.FormOf("app-requests");
            form["decision"] = "approve";
            form["app"] = (await IdOfAsync(first.Id))!;
            await admin.PostAsync(path, form);
        }
        _database.Clock.Advance(TimeSpan.FromDays(1) + TimeSpan.FromMinutes(1));

        await server.Services.GetRequiredService<TokenSweep>().RunOnceAsync(default);

        Assert.Equal("approved", (await server.SendAsync(HttpMethod.Get, first.Path, first.Token)).Text("registration_status"));
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, second.Path, second.Token)).Status);
        Assert.Equal(201, (await server.RegisterAsync()).Status);
    }

    [Fact]
    public async Task SettingsAndRegistrations_LeaveEachOtherAlone()
    {
        var app = await _server.RegisterAsync();
        await using var restarted = await TestServer.StartAsync(_database);

        Assert.Equal(200, (await restarted.SendAsync(HttpMethod.Get, app.Path, app.Token)).Status);
        Assert.Equal(200, (await restarted.AskAsync()).Status);
    }

    [Fact]
    public async Task WhereItIsSwitchedOff_ThereIsNothing_AndNothingSaysThereIs()
    {
        await using var server = await TestServer.StartAsync(_database, ("Auth:Registration:Enabled", "false"));

        using var answer = await server.Http.PostAsync("/auth/clients", new StringContent(RegisteringApp.Metadata().ToJsonString(), Encoding.UTF8, "application/json"));
        Assert.Contains((int)answer.StatusCode, new[] { 401, 404 }); // the test server's own last word
        Assert.DoesNotContain("registration_endpoint", await server.Http.GetStringAsync("/auth/.well-known/openid-configuration"), StringComparison.Ordinal);
        Assert.Contains("\"registration_endpoint\":\"https://clinic.example/auth/clients\"", await _server.Http.GetStringAsync("/auth/.well-known/openid-configuration"), StringComparison.Ordinal);
    }

    /// <summary>A page that signs people out leads nobody to the address of an app that nobody has approved.</summary>
    [Fact]
    public async Task SignOutForAnAppThatWaits_LeadsNowhereElse()
    {
        var app = await _server.RegisterAsync(("post_logout_redirect_uris", new JsonArray("https://evil.example/bye")));
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);

        await browser.GoAsync($"/auth/end-session?client_id={app.Id}&post_logout_redirect_uri={Uri.EscapeDataString("https://evil.example/bye")}");

        Assert.Equal(400, browser.Status);
        await browser.GoAsync($"/auth/end-session?post_logout_redirect_uri={Uri.EscapeDataString("https://evil.example/bye")}");
        Assert.Equal(400, browser.Status);
    }

    [Fact]
    public async Task Store_HoldsNoSecretThatCouldBeRead()
    {
        var app = await _server.RegisterAsync(("token_endpoint_auth_method", "client_secret_basic"));
        foreach (var record in (await _database.Store.QueryAsync(new(ApplicationIndex.RecordType, Predicate.Everything, RecordOrder.ById, null, 10), default)).Records)
        {
            foreach (var text in new[] { app.Id, app.Token, app.Text("client_secret")!, "Good App", "app.example" })
            {
                Assert.True(record.Body.Span.IndexOf(Encoding.UTF8.GetBytes(text)) < 0 && record.Index.Block.Span.IndexOf(Encoding.UTF8.GetBytes(text)) < 0, text);
            }
        }
        // Nor does whoever can open the record learn them.
        var opened = JsonSerializer.Serialize(await FindAsync(app.Id));
        Assert.DoesNotContain(app.Token, opened, StringComparison.Ordinal);
        Assert.DoesNotContain(app.Text("client_secret")!, opened, StringComparison.Ordinal);
    }

    private async Task<Registered> ApprovedAsync(Browser admin)
    {
        var app = await _server.RegisterAsync();
        await admin.GoAsync("/auth/app-requests");
        await admin.SubmitAsync("app-requests", ("decision", "approve"));
        Assert.Equal("approved", (await _server.SendAsync(HttpMethod.Get, app.Path, app.Token)).Text("registration_status"));
        return app;
    }

    private static string FormTokenOf(Browser browser) => browser.Page.QuerySelector("input[name=form_token]")!.GetAttribute("value")!;

    private async Task<OAuthApplication> FindAsync(string clientId) =>
        (await _server.Services.GetRequiredService<FhirStore.Sealed.SealedRecords<OAuthApplication>>().FirstAsync(_server.Services.GetRequiredService<ApplicationIndex>().ClientId(clientId), default))!.Value;

    private async Task<string?> IdOfAsync(string clientId) =>
        (await _server.Services.GetRequiredService<FhirStore.Sealed.SealedRecords<OAuthApplication>>().FirstAsync(_server.Services.GetRequiredService<ApplicationIndex>().ClientId(clientId), default))?.Id;

    /// <summary>The one of the settings among them.</summary>
    private async Task<long> ClientsAsync() => await _database.Store.CountAsync(ApplicationIndex.RecordType, Predicate.Everything, 100, default);
}
