using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Authorization.Access;
using Authorization.Discovery;
using Authorization.Server;
using Authorization.Tests.Pages;

namespace Authorization.Tests.Launch;

/// <summary>What SMART says of scopes, context and clients at a launch, beside what the other launch tests go through.</summary>
public sealed class LaunchRulesTests : IAsyncLifetime
{
    private const string Secret = "a-secret-of-the-app";
    private readonly Database _database = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(_database, ("Auth:Clients:0:MayLaunch", "true"), ("Auth:Clients:0:MayIntrospect", "true"));
        await _server.AddAsync();
        await _server.AddAsync("dora", "Practitioner/dora", roles: Role.Practitioner);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    /// <summary>The server SHALL support all scopes that it lists.</summary>
    [Fact]
    public async Task EveryScopeThatIsListed_CanBeGranted()
    {
        var listed = Listed().Where(static scope => !scope.StartsWith("system/", StringComparison.Ordinal)).ToList();
        var app = await new SmartApp(_server).RegisterAsync(string.Join(' ', listed));
        using var browser = new Browser(_server);
        await browser.SignInAsync("dora", People.Password);

        foreach (var scope in listed)
        {
            var wanted = scope == "fhirUser" ? "openid fhirUser" : scope is "openid" || scope.Contains("/*", StringComparison.Ordinal) ? scope : $"{scope} user/*.rs";
            var answer = await app.LaunchAsync(browser, wanted, ("launch", await LaunchAsync("""{"client_id":"app","user":"Practitioner/dora","patient":"ben"}""")));
            Assert.Equal(wanted.Split(' ').Order(), answer.Scope!.Split(' ').Order());
        }
    }

    [Theory]
    [InlineData("launch/encounter launch/patient patient/*.rs", "launch/patient patient/*.rs")]
    [InlineData("launch/imagingstudy?role=https://example.org/role launch/patient?role=prior patient/*.rs", "patient/*.rs")]
    [InlineData("launch patient/*.rs profile email made-up", "patient/*.rs")] // launched by nobody
    [InlineData("openid patient/Observation.rs patient/Observation.sr patient/Observation.x system/Observation.rs", "openid patient/Observation.rs")]
    [InlineData("fhirUser patient/*.rs", "patient/*.rs")]
    public async Task ScopesThatAreNotThere_AreLeftOut_AndTheAppIsTold(string asked, string granted)
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);

        var answer = await app.LaunchAsync(browser, asked);

        Assert.Equal(granted.Split(' ').Order(), answer.Scope!.Split(' ').Order());
        Assert.Equal("anna", answer.Body.GetProperty("patient").GetString());
        Assert.Equal(granted.Contains("openid", StringComparison.Ordinal), answer.Body.TryGetProperty("id_token", out _));
    }

    /// <summary>Whoever gets a patient scope gets the patient it is for, or nothing.</summary>
    [Theory]
    [InlineData("patient/Observation.rs", "access_denied")]
    [InlineData("launch/patient user/Observation.rs", "access_denied")]
    [InlineData("user/Observation.rs", null)]
    public async Task UserWithoutAPatient_GivesNoneAway(string scope, string? error)
    {
        await _server.AddAsync("nobody", null, roles: Role.Patient);
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync("nobody", People.Password);

        await browser.GoAsync(app.Authorize(scope));
        if (error is null)
        {
            await browser.SubmitAsync("authorize", ("decision", "allow"));
        }

        var (code, told) = app.Returned(browser);
        Assert.Equal(error, told);
        Assert.Equal(error is null, code is not null);
        if (code is not null)
        {
            Assert.False((await app.RedeemAsync(code)).Body.TryGetProperty("patient", out _));
        }
        Assert.Equal(error is null, await GivenAsync() > 0);
    }

    [Fact]
    public async Task EhrLaunchWithoutAPatient_AsksForOne_WhereAScopeNeedsIt()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync("dora", People.Password);

        await browser.GoAsync(app.Authorize("launch patient/*.rs", ("launch", await LaunchAsync("""{"client_id":"app","user":"Practitioner/dora"}"""))));
        Assert.Equal("Choose a patient", browser.Title);
        await browser.SubmitAsync("authorize", ("patient", "ben"));
        await browser.SubmitAsync("authorize", ("decision", "allow"));
        Assert.Equal("ben", (await app.RedeemAsync(app.Returned(browser).Code!)).Body.GetProperty("patient").GetString());

        var other = await app.LaunchAsync(browser, "launch user/*.rs", ("launch", await LaunchAsync("""{"client_id":"app","user":"Practitioner/dora"}""")));
        Assert.False(other.Body.TryGetProperty("patient", out _));
    }

    [Fact]
    public async Task FhirContext_OfEveryKind_ComesToTheApp_AndToIntrospection()
    {
        const string context = """
            [{"reference":"ImagingStudy/123","type":"ImagingStudy"},{"canonical":"https://example.org/Questionnaire/q|1.0"},{"identifier":{"system":"urn:x","value":"1"},"type":"Group","role":"launch"},
             {"reference":"Encounter/e2","role":"https://example.org/roles/last"}]
            """;
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync("dora", People.Password);

        var answer = await app.LaunchAsync(browser, "openid fhirUser launch patient/*.rs", ("launch", await LaunchAsync($$"""{"client_id":"app","user":"Practitioner/dora","patient":"ben","encounter":"e1","intent":"reconcile","need_patient_banner":false,"fhirContext":{{context}}}""")));
        using var told = await _server.Http.PostAsync("/auth/introspect", new FormUrlEncodedContent([new("token", answer.AccessToken), new("client_id", TestServer.ClientId), new("client_secret", TestServer.Secret)]));
        var introspected = JsonNode.Parse(await told.Content.ReadAsStringAsync())!;

        var given = JsonNode.Parse(answer.Body.GetRawText())!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(context), given["fhirContext"]), given["fhirContext"]?.ToJsonString());
        foreach (var name in (string[])["patient", "encounter", "fhirContext", "intent", "need_patient_banner"])
        {
            Assert.True(JsonNode.DeepEquals(given[name], introspected[name]), $"{name}: {introspected}");
        }
    }

    [Theory]
    [InlineData("""[{"canonical":1}]""")]
    [InlineData("""[{"canonical":"not absolute"}]""")]
    [InlineData("""[{"identifier":"1"}]""")]
    [InlineData("""[{"reference":"ImagingStudy/1","role":"prior"}]""")]
    [InlineData("""[{"reference":"ImagingStudy/1","role":1}]""")]
    [InlineData("""[{"type":"ImagingStudy"}]""")]
    [InlineData("""["ImagingStudy/1"]""")]
    public async Task FhirContextThatIsWrong_LaunchesNothing(string context)
    {
        await new SmartApp(_server).RegisterAsync();
        var answer = await PostLaunchAsync($$"""{"client_id":"app","user":"Practitioner/dora","fhirContext":{{context}}}""");

        Assert.Equal((400, "invalid_request"), (answer.Status, answer.Error));
        Assert.Equal(0, await _database.CountAsync("_Launch"));
    }

    [Theory]
    [InlineData("https://clinic.example/fhir/ihe")]
    [InlineData("https://clinic.example/fhir/isik/")]
    public async Task Audience_OfADialectsBase_IsThisServer(string audience)
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);

        Assert.Equal(200, (await app.LaunchAsync(browser, "patient/*.rs", ("aud", audience))).Status);
    }

    [Theory]
    [InlineData("aud", "https://evil.example/fhir", "invalid_request")]
    [InlineData("aud", "https://clinic.example/fhir/else", "invalid_request")]
    [InlineData("aud", "https://clinic.example/app-state", "invalid_request")]
    [InlineData("code_challenge_method", "plain", "invalid_request")]
    [InlineData("response_type", "token", "unsupported_response_type")]
    [InlineData("scope", "patient/Nothing.rs", "invalid_scope")]
    public async Task FormPostThatIsWrong_IsToldLikeAGet_AndGivesNothing(string name, string value, string error)
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);

        await browser.PostAsync("/auth/authorize", app.Parameters("openid patient/*.rs", (name, value)), "https://app.example");

        Assert.Equal((null, error), app.Returned(browser));
        Assert.Equal(0, await GivenAsync());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("another-secret-than-the-apps")]
    public async Task ConfidentialApp_GetsNothingForItsCode_UntilItProvesItself(string? secret)
    {
        var app = await new SmartApp(_server, secret: Secret).RegisterAsync();
        var thief = await new SmartApp(_server, "thief", Secret).RegisterAsync();
        using var browser = new Browser(_server);
        var code = await app.CodeAsync(browser, "offline_access patient/*.rs");
        var given = await GivenAsync();

        var form = new Dictionary<string, string> { ["grant_type"] = "authorization_code", ["code"] = code, ["redirect_uri"] = app.Redirect, ["client_id"] = app.Id, ["code_verifier"] = app.Verifier };
        if (secret is not null)
        {
            form["client_secret"] = secret;
        }
        var refused = await _server.AskAsync(form);
        Assert.Equal("invalid_client", refused.Error);
        Assert.InRange(refused.Status, 400, 401);
        Assert.Equal("invalid_grant", (await thief.RedeemAsync(code)).Error);
        Assert.Equal(given, await GivenAsync());

        Assert.Equal(200, (await app.RedeemAsync(code)).Status);
    }

    [Fact]
    public async Task TokenEndpoint_AnswersPagesOfRegisteredApps_AlsoRefusals()
    {
        var app = await new SmartApp(_server).RegisterAsync();
        using var browser = new Browser(_server);
        var code = await app.CodeAsync(browser, "patient/*.rs");
        foreach (var (origin, allowed) in new[] { ("https://app.example", "https://app.example"), ("https://evil.example", null) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/token")
            {
                Content = new FormUrlEncodedContent([new("grant_type", "authorization_code"), new("code", "made-up"), new("client_id", app.Id), new("redirect_uri", app.Redirect), new("code_verifier", new string('v', 50))]),
            };
            request.Headers.Add("Origin", origin);
            using var answer = await _server.Http.SendAsync(request);
            Assert.Equal(400, (int)answer.StatusCode);
            Assert.Equal(allowed, answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values.Single() : null);
        }
        _server.Http.DefaultRequestHeaders.Add("Origin", "https://app.example");
        var tokens = await app.RedeemAsync(code);
        Assert.Equal((200, "https://app.example"), (tokens.Status, tokens.Response.Headers.GetValues("Access-Control-Allow-Origin").Single()));
    }

    [Fact]
    public async Task Brand_IsNamedInDiscovery_AndServedUntilItChanges()
    {
        await using var branded = await TestServer.StartAsync(_database, ("Auth:Brand:Name", "The Clinic"), ("Auth:Brand:Website", "https://www.clinic.example"));
        using var smart = JsonDocument.Parse(SmartConfiguration.Write(PublicAddresses.Of(TestServer.BaseUrl), new() { Brand = { Name = "The Clinic", Website = "https://www.clinic.example" } }));
        Assert.Equal("https://clinic.example/auth/brands", smart.RootElement.GetProperty("user_access_brand_bundle").GetString());
        using var first = await branded.Http.GetAsync("/auth/brands");
        var bundle = JsonNode.Parse(await first.Content.ReadAsStringAsync())!;
        var organization = bundle["entry"]!.AsArray().Select(entry => entry!["resource"]!).Single(resource => (string?)resource["resourceType"] == "Organization");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(smart.RootElement.GetProperty("user_access_brand_identifier").GetRawText()), Assert.Single(organization["identifier"]!.AsArray())));

        using var again = new HttpRequestMessage(HttpMethod.Get, "/auth/brands");
        again.Headers.Add("Origin", "https://anybody.example");
        again.Headers.TryAddWithoutValidation("If-None-Match", first.Headers.ETag!.ToString());
        using var unchanged = await branded.Http.SendAsync(again);
        Assert.Equal((304, "*"), ((int)unchanged.StatusCode, unchanged.Headers.GetValues("Access-Control-Allow-Origin").Single()));
        using var none = JsonDocument.Parse(SmartConfiguration.Write(PublicAddresses.Of(TestServer.BaseUrl)));
        Assert.DoesNotContain(none.RootElement.EnumerateObject(), member => member.Name.StartsWith("user_access", StringComparison.Ordinal));
        Assert.False((await _server.Http.GetAsync("/auth/brands")).IsSuccessStatusCode);
    }

    private static IEnumerable<string> Listed()
    {
        using var document = JsonDocument.Parse(SmartConfiguration.Write(PublicAddresses.Of(TestServer.BaseUrl)));
        return [.. document.RootElement.GetProperty("scopes_supported").EnumerateArray().Select(value => value.GetString()!)];
    }

    /// <summary>How many grants and tokens of users there are.</summary>
    private Task<long> GivenAsync() => _database.CountAsync("_OAuthAuthorization", "_OAuthToken");

    private async Task<string> LaunchAsync(string body)
    {
        var answer = await PostLaunchAsync(body);
        Assert.True(answer.Status == 201, answer.Body.GetRawText());
        return answer.Body.GetProperty("launch").GetString()!;
    }

    private async Task<TokenAnswer> PostLaunchAsync(string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/launch") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new("Bearer", _ehr ??= await _server.TokenAsync());
        var response = await _server.Http.SendAsync(request);
        return new(response, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    private string? _ehr;
}
