using System.Text.Json.Nodes;
using Authorization.Access;
using Authorization.Clients;
using Authorization.Launch;
using Authorization.Scopes;
using Authorization.Server;
using FhirCore;
using Microsoft.Extensions.DependencyInjection;

namespace FhirServer.Tests;

/// <summary>What apps in browsers need of the FHIR endpoints, and whom the patient picker finds.</summary>
public sealed class SmartAppsTests(ServerFixture server)
{
    private const string App = "https://smart-apps-tests.example";

    [Fact]
    public async Task FhirEndpoints_AnswerPagesOfRegisteredApps_AlsoRefusals()
    {
        var client = server.Client;
        Assert.Null(await server.Services.GetRequiredService<ClientRegistry>().RegisterAsync(
            new ClientOptions { ClientId = "smart-apps-tests", Scope = "patient/*.rs", RedirectUris = { App + "/callback" } }, default));

        var preflight = await server.Anonymous.SendAsync(
            "OPTIONS", "Patient/1", null, ("Origin", App), ("Access-Control-Request-Method", "PUT"), ("Access-Control-Request-Headers", "authorization,if-match"));
        Assert.Equal(204, preflight.Status);
        Assert.Contains("PUT", preflight.Response.Headers.GetValues("Access-Control-Allow-Methods").Single(), StringComparison.Ordinal);
        Assert.Contains("If-Match", preflight.Response.Headers.GetValues("Access-Control-Allow-Headers").Single(), StringComparison.Ordinal);
        foreach (var answer in new[]
        {
            preflight, await client.GetAsync("Patient?_count=1", ("Origin", App)), await server.Anonymous.GetAsync("Patient/1", ("Origin", App)),
            await client.GetAsync("Nonsense", ("Origin", App)),
        })
        {
            Assert.Equal(App, answer.Response.Headers.GetValues("Access-Control-Allow-Origin").Single());
            Assert.Contains("Origin", answer.Response.Headers.Vary);
            var exposed = answer.Response.Headers.GetValues("Access-Control-Expose-Headers").Single();
            Assert.All(new[] { "ETag", "Location", "Content-Location", "Last-Modified", "WWW-Authenticate" }, name => Assert.Contains(name, exposed, StringComparison.Ordinal));
        }
        foreach (var origin in new[] { "https://evil.example", App + ".evil.example", "null" })
        {
            Assert.False((await client.GetAsync("Patient?_count=1", ("Origin", origin))).Response.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task Metadata_NamesTheAuthorizationServersAddresses()
    {
        var security = (await server.Anonymous.GetAsync("metadata")).Json["rest"]![0]!["security"]!;

        var addresses = security["extension"]![0]!["extension"]!.AsArray().ToDictionary(part => (string)part!["url"]!, part => (string)part!["valueUri"]!);
        foreach (var (name, path) in new[] { ("authorize", "authorize"), ("token", "token"), ("introspect", "introspect"), ("revoke", "revoke"), ("manage", "apps") })
        {
            Assert.Equal($"{server.Origin}/auth/{path}", addresses[name]);
        }
        Assert.Equal("SMART-on-FHIR", (string?)security["service"]![0]!["coding"]![0]!["code"]);
    }

    [Fact]
    public async Task PatientPicker_FindsByNameNumberAndBirthDate_WhomTheUserMaySee()
    {
        var own = await CreateAsync("Smartina", "Pickler", "SMART-1", "1971-02-03");
        var other = await CreateAsync("Smartin", "Pickler", "SMART-2", "1972-02-03");
        var patients = server.Services.GetRequiredService<IPatientDirectory>();
        var staff = GrantOf("Practitioner", "picker", Role.Practitioner);
        var patient = GrantOf("Patient", own, Role.Patient);

        Assert.Equal([own, other], (await patients.SearchAsync(staff, new("Pickler", "", ""), 20, default)).Select(found => found.Id).Order());
        Assert.Equal(other, Assert.Single(await patients.SearchAsync(staff, new("pickler smartin", "SMART-2", "1972-02-03"), 20, default)).Id);
        Assert.Single(await patients.SearchAsync(staff, new("Pickler", "", ""), 1, default));
        Assert.Empty(await patients.SearchAsync(staff, new("Pickler", "", "3.2.1972"), 20, default));
        Assert.Empty(await patients.SearchAsync(staff, new("Pickler,Smartin", "", ""), 20, default));
        Assert.Equal(new PatientSummary(other, "Smartin Pickler", "1972-02-03", "SMART-2"), await patients.FindAsync(staff, other, default));
        Assert.Equal(own, Assert.Single(await patients.SearchAsync(patient, new("Pickler", "", ""), 20, default)).Id);
        Assert.NotNull(await patients.FindAsync(patient, own, default));
        Assert.Null(await patients.FindAsync(patient, other, default));
        Assert.Null(await patients.FindAsync(staff, "nobody-at-all", default));
    }

    private static Grant GrantOf(string type, string id, Role role) => new(
        "smart-apps-tests", [new SmartScope(ScopeLevel.User, "Patient", Permissions.Read | Permissions.Search)], new($"account-{id}", new ResourceKey(type, id), [new(role)]));

    private async Task<string> CreateAsync(string given, string family, string number, string born)
    {
        var patient = new JsonObject
        {
            ["resourceType"] = "Patient", ["birthDate"] = born,
            ["name"] = new JsonArray(new JsonObject { ["family"] = family, ["given"] = new JsonArray(given) }),
            ["identifier"] = new JsonArray(new JsonObject { ["system"] = "urn:smart-apps-tests", ["value"] = number }),
        };
        var created = await server.Client.PostAsync("Patient", patient.ToJsonString());
        Assert.Equal(201, created.Status);
        return created.Id!;
    }
}
