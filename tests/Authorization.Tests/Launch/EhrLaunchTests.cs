using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Web;
using Authorization.Access;
using Authorization.Tests.Pages;

namespace Authorization.Tests.Launch;

public sealed class EhrLaunchTests : IAsyncLifetime
{
    private const string Scope = "openid fhirUser launch online_access patient/*.rs";
    private readonly Database _database = new();
    private TestServer _server = null!;
    private SmartApp _app = null!;
    private string _ehr = "";

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(_database, ("Auth:Clients:0:MayLaunch", "true"), ("Auth:SmartStyleUrl", "https://clinic.example/style.json"));
        await _server.AddAsync("dora", "Practitioner/dora", roles: Role.Practitioner);
        await _server.AddAsync();
        _app = await new SmartApp(_server).RegisterAsync();
        _ehr = await _server.TokenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Launch_BringsItsContextToTheApp_AndThroughARefresh()
    {
        var created = await LaunchAsync("""
            {"client_id":"app","user":"Practitioner/dora","patient":"ben","encounter":"e1","need_patient_banner":false,"intent":"reconcile-medications",
             "fhirContext":[{"reference":"ImagingStudy/123"},{"reference":"Patient/cleo","role":"https://example.org/role"}]}
            """);
        Assert.Equal(201, created.Status);
        Assert.Equal(600, created.Body.GetProperty("expires_in").GetInt32());
        var url = new Uri(created.Body.GetProperty("launch_url").GetString()!);
        var query = HttpUtility.ParseQueryString(url.Query);
        Assert.Equal(("https://app.example/launch", TestServer.BaseUrl), (url.GetLeftPart(UriPartial.Path), query["iss"]));
        using var browser = new Browser(_server);
        await browser.SignInAsync("dora", People.Password);

        var answer = await _app.LaunchAsync(browser, Scope, ("launch", query["launch"]));
        var refreshed = await _app.RefreshAsync(answer);

        foreach (var told in new[] { answer, refreshed })
        {
            Assert.Equal(Scope.Split(' ').ToHashSet(), told.Scope!.Split(' ').ToHashSet());
            Assert.Equal("ben", told.Body.GetProperty("patient").GetString());
            Assert.Equal("e1", told.Body.GetProperty("encounter").GetString());
            Assert.Equal(JsonValueKind.False, told.Body.GetProperty("need_patient_banner").ValueKind);
            Assert.Equal("reconcile-medications", told.Body.GetProperty("intent").GetString());
            Assert.Equal("https://clinic.example/style.json", told.Body.GetProperty("smart_style_url").GetString());
            Assert.Equal(["ImagingStudy/123", "Patient/cleo"], told.Body.GetProperty("fhirContext").EnumerateArray().Select(item => item.GetProperty("reference").GetString()));
            Assert.Equal(new LaunchContext("ben", "e1"), (await _server.Authenticator.AuthenticateAsync($"Bearer {told.AccessToken}", default)).Value.Launch);
        }
        await browser.GoAsync(_app.Authorize(Scope, ("launch", query["launch"]))); // used
        Assert.Equal("invalid_request", _app.Returned(browser).Error);
    }

    [Fact]
    public async Task Launch_OfAnotherUserAppOrTime_IsRefused_AndNotUsedUp()
    {
        var launch = (await LaunchAsync("""{"client_id":"app","user":"Practitioner/dora","patient":"ben"}""")).Body.GetProperty("launch").GetString();
        var other = await new SmartApp(_server, "other").RegisterAsync();
        using var anna = new Browser(_server);
        await anna.SignInAsync(People.Anna, People.Password);
        using var dora = new Browser(_server);
        await dora.SignInAsync("dora", People.Password);

        await anna.GoAsync(_app.Authorize(Scope, ("launch", launch)));
        Assert.Equal("invalid_request", _app.Returned(anna).Error);
        await dora.GoAsync(other.Authorize(Scope, ("launch", launch)));
        Assert.Equal("invalid_request", other.Returned(dora).Error);
        Assert.Equal("ben", (await _app.LaunchAsync(dora, Scope, ("launch", launch))).Body.GetProperty("patient").GetString());

        var late = (await LaunchAsync("""{"client_id":"app","user":"Practitioner/dora","patient":"ben"}""")).Body.GetProperty("launch").GetString();
        _database.Clock.Advance(TimeSpan.FromMinutes(10));
        await dora.GoAsync(_app.Authorize(Scope, ("launch", late)));
        Assert.Equal("invalid_request", _app.Returned(dora).Error);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("not json")]
    [InlineData("""{"client_id":"nobody","user":"Practitioner/dora"}""")]
    [InlineData("""{"client_id":"ehr","user":"Practitioner/dora"}""")]
    [InlineData("""{"client_id":"app"}""")]
    [InlineData("""{"client_id":"app","user":"Practitioner/nobody"}""")]
    [InlineData("""{"client_id":"app","user":"Practitioner/dora","patient":"not an id"}""")]
    [InlineData("""{"client_id":"app","user":"Practitioner/dora","intent":""}""")]
    [InlineData("""{"client_id":"app","user":"Practitioner/dora","fhirContext":{}}""")]
    [InlineData("""{"client_id":"app","user":"Practitioner/dora","fhirContext":[{}]}""")]
    [InlineData("""{"client_id":"app","user":"Practitioner/dora","fhirContext":[{"reference":"https://other.example/Patient/1"}]}""")]
    [InlineData("""{"client_id":"app","user":"Practitioner/dora","fhirContext":[{"reference":"Patient/1"}]}""")]
    [InlineData("""{"client_id":"app","user":"Practitioner/dora","fhirContext":[{"reference":"Encounter/1","role":"launch"}]}""")]
    [InlineData("""{"client_id":"app","user":"Practitioner/dora","fhirContext":[{"reference":"ImagingStudy/1","role":""}]}""")]
    [InlineData("""{"client_id":"app","user":"Practitioner/dora","fhirContext":[{"reference":"Fantasy/1"}]}""")]
    public async Task BodyThatIsWrong_IsAnInvalidRequest(string body) => Assert.Equal((400, "invalid_request"), await LaunchAsync(body) is var answer ? (answer.Status, answer.Error) : default);

    [Fact]
    public async Task Client_ThatMayNot_OrHasNoToken_CannotLaunch()
    {
        await _server.Clients.RegisterAsync("backend", "sixteen-characters", "system/*.rs", default);
        var other = (await _server.AskAsync("system/*.rs", "backend", "sixteen-characters")).AccessToken;
        const string body = """{"client_id":"app","user":"Practitioner/dora","patient":"ben"}""";

        Assert.Equal(403, (await LaunchAsync(body, other)).Status);
        Assert.Equal(401, (await LaunchAsync(body, "rubbish")).Status);
        Assert.Equal(401, (await LaunchAsync(body, null)).Status);
    }

    [Fact]
    public async Task PatientAtThePages_CannotBeLaunchedForSomeoneElse()
    {
        var launch = (await LaunchAsync("""{"client_id":"app","user":"Patient/anna","patient":"ben"}""")).Body.GetProperty("launch").GetString();
        using var browser = new Browser(_server);
        await browser.SignInAsync(People.Anna, People.Password);

        await browser.GoAsync(_app.Authorize(Scope, ("launch", launch)));

        Assert.Equal("access_denied", _app.Returned(browser).Error);
    }

    private Task<TokenAnswer> LaunchAsync(string body) => LaunchAsync(body, _ehr);

    private async Task<TokenAnswer> LaunchAsync(string body, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/launch") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        var response = await _server.Http.SendAsync(request);
        return new(response, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }
}
