using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Conformance.Tests;
using Conformance.Tests.Smart;
using Microsoft.Playwright;

namespace Browser.Tests;

/// <summary>
/// What an app's author does on the first day: <c>fhirclient</c> as it is published, a sign-in, a consent, a call, a refresh.
/// https://hl7.org/fhir/smart-app-launch/app-launch.html
/// </summary>
public sealed class LaunchTests(Chromium chromium)
{
    private const string Public = "browser-app";
    private const string WithSecret = "server-app";
    private const string Ehr = "ehr";
    private const string Secret = "a-secret-for-browser-tests";
    private const string Scopes = "openid fhirUser launch launch/patient offline_access patient/*.rs user/*.rs";

    [Fact]
    public async Task StandaloneLaunch_OfAPatientInRussian_ReadsTheirRecordAndRefreshes()
    {
        await using var browser = await chromium.OpenAsync("ru-RU");
        await using var clinic = await ClinicAsync();
        var patient = clinic.Users["patient"];
        var page = await browser.NewPageAsync();

        await page.GotoAsync(clinic.App.LaunchUrl + Query(("fhir", clinic.Server.Base.AbsoluteUri), ("client_id", Public), ("scope", "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Appointment.rs")));
        await page.Locator("input[name=username]").WaitForAsync();
        Assert.Equal("ru", await page.Locator("html").GetAttributeAsync("lang"));
        await SignInAsync(page, patient);
        await AllowAsync(page);
        await ReadyAsync(page);

        Assert.Equal(patient.FhirUser, await page.EvaluateAsync<string>("client.user.fhirUser.split('/').slice(-2).join('/')"));
        Assert.Equal(patient.FhirUser, "Patient/" + await page.EvaluateAsync<string>("client.patient.id"));
        Assert.Equal("Patient", await page.EvaluateAsync<string>("client.patient.read().then(patient => patient.resourceType)"));
        Assert.Equal("Bundle", await page.EvaluateAsync<string>("client.request('Appointment?_count=5').then(bundle => bundle.resourceType)"));

        var before = await page.EvaluateAsync<string>("client.state.tokenResponse.access_token");
        await page.EvaluateAsync("client.refresh()");
        var after = await page.EvaluateAsync<string>("client.state.tokenResponse.access_token");
        Assert.NotEqual(before, after);
        Assert.Equal("Patient", await page.EvaluateAsync<string>("client.patient.read().then(patient => patient.resourceType)"));
        Assert.Equal("refused", await page.EvaluateAsync<string>("client.request('Observation?_count=1').then(() => 'answered', () => 'refused')"));
    }

    [Theory]
    [InlineData(Public)]
    [InlineData(WithSecret)]
    public async Task EhrLaunch_ByAPractitioner_OpensThePatientInView(string app)
    {
        await using var browser = await chromium.OpenAsync();
        await using var clinic = await ClinicAsync();
        var patient = clinic.Users["patient"].FhirUser!;
        var page = await browser.NewPageAsync();
        var launch = await clinic.LaunchValueAsync(app, patient["Patient/".Length..]);

        await page.GotoAsync(clinic.App.LaunchUrl + Query(
        [
            ("iss", clinic.Server.Base.AbsoluteUri.TrimEnd('/')), ("launch", launch), ("client_id", app), ("scope", "openid fhirUser launch patient/Patient.rs user/Practitioner.rs offline_access"),
            .. app == WithSecret ? [("client_secret", Secret)] : Array.Empty<(string, string)>(),
        ]));
        await SignInAsync(page, clinic.Users["practitioner"]);
        await AllowAsync(page);
        await ReadyAsync(page);

        Assert.Equal(patient, "Patient/" + await page.EvaluateAsync<string>("client.patient.id"));
        Assert.StartsWith("Practitioner/", await page.EvaluateAsync<string>("client.user.fhirUser.split('/').slice(-2).join('/')"), StringComparison.Ordinal);
        Assert.Equal(patient["Patient/".Length..], await page.EvaluateAsync<string>("client.patient.read().then(patient => patient.id)"));
        await page.EvaluateAsync("client.refresh()");
        Assert.Equal(patient["Patient/".Length..], await page.EvaluateAsync<string>("client.patient.read().then(patient => patient.id)"));
    }

    private static async Task SignInAsync(IPage page, DemoUser user)
    {
        await page.FillAsync("input[name=username]", user.UserName);
        await page.FillAsync("input[name=password]", user.Password);
        await page.Locator("form:has(input[name=password]) button").First.ClickAsync();
    }

    private static Task AllowAsync(IPage page) => page.Locator("button[value=allow]").ClickAsync();

    private static async Task ReadyAsync(IPage page)
    {
        await page.WaitForFunctionAsync("() => { const told = document.getElementById('outcome'); return told && told.textContent !== 'waiting'; }");
        Assert.Equal("ready", await page.Locator("#outcome").TextContentAsync());
    }

    private static string Query(params ReadOnlySpan<(string Name, string Value)> parameters)
    {
        var parts = new List<string>();
        foreach (var (name, value) in parameters)
        {
            parts.Add($"{name}={Uri.EscapeDataString(value)}");
        }
        return "?" + string.Join('&', parts);
    }

    private static async Task<Clinic> ClinicAsync()
    {
        var app = await SmartApp.StartAsync();
        var folder = Directory.CreateTempSubdirectory("fhir-browser-");
        var server = await RunningServer.StartAsync(Path.Combine(folder.FullName, "data"), ["--demo", "--Demo:HistoryWeeks=0"],
        [
            new("Auth:Clients:0:ClientId", Public), new("Auth:Clients:0:Scope", Scopes), new("Auth:Clients:0:RedirectUris:0", app.RedirectUri), new("Auth:Clients:0:Name", "Browser App"),
            new("Auth:Clients:1:ClientId", WithSecret), new("Auth:Clients:1:ClientSecret", Secret), new("Auth:Clients:1:Scope", Scopes), new("Auth:Clients:1:RedirectUris:0", app.RedirectUri),
            new("Auth:Clients:2:ClientId", Ehr), new("Auth:Clients:2:ClientSecret", Secret), new("Auth:Clients:2:Scope", "system/*.rs"), new("Auth:Clients:2:MayLaunch", "true"),
        ], CancellationToken.None);
        return new(server, app, folder, await DemoUsers.OfAsync(server, CancellationToken.None));
    }

    private sealed record Clinic(RunningServer Server, SmartApp App, DirectoryInfo Folder, IReadOnlyDictionary<string, DemoUser> Users) : IAsyncDisposable
    {
        /// <summary>What an EHR does before it opens the app.</summary>
        public async Task<string> LaunchValueAsync(string app, string patient)
        {
            using var http = await Tokens.SignInAsync(Server.Base, Ehr, Secret, CancellationToken.None, "system/*.rs");
            using var answer = await http.PostAsync(new Uri(Server.Base, "/auth/launch"),
                new StringContent(new JsonObject { ["client_id"] = app, ["user"] = Users["practitioner"].FhirUser, ["patient"] = patient }.ToJsonString(), new MediaTypeHeaderValue("application/json")));
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, text);
            return JsonDocument.Parse(text).RootElement.GetProperty("launch").GetString()!;
        }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await App.DisposeAsync();
            Folder.Delete(recursive: true);
        }
    }
}
