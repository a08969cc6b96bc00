using System.Text.Json.Nodes;
using Authorization.Access;
using Authorization.Accounts;
using Authorization.Keys;
using Authorization.Server;
using FhirStore.Sealed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FhirServer.Tests.Access;

/// <summary>A resource of the house, and what decides who sees it, as plain data.</summary>
/// <param name="Patients">Names of the patients in whose compartment it lies.</param>
/// <param name="Label">Confidentiality: R, V or none.</param>
internal sealed record Thing(string Type, string Name, string[] Patients, string? Organization = null, string? Category = null, string? Label = null)
{
    public required JsonObject Body { get; init; }

    public string Id => (string)Body["id"]!;

    public string Key => $"{Type}/{Id}";
}

/// <summary>Two patients of two organizations with what a clinic keeps of them, under ids of their own, and tokens for whoever may ask.</summary>
internal sealed class AccessHouse
{
    public const string Category = "http://terminology.hl7.org/CodeSystem/observation-category";
    private readonly ServerFixture _server;

    private AccessHouse(ServerFixture server)
    {
        _server = server;
        Run = "ac" + Guid.NewGuid().ToString("N")[..10];
        Things = [.. Furnish()];
    }

    public string Run { get; }

    /// <summary>Nothing of the house is older.</summary>
    public DateTimeOffset Opened { get; } = TimeProvider.System.GetUtcNow().AddSeconds(-1);

    /// <summary>Own is p1, the other one p2.</summary>
    public string Own => $"{Run}-p1";

    public string Other => $"{Run}-p2";

    public string OrganizationA => $"{Run}-oa";

    public string OrganizationB => $"{Run}-ob";

    public IReadOnlyList<Thing> Things { get; }

    public Thing this[string name] => Things.Single(thing => thing.Name == name);

    public FhirClient Admin => _server.Client;

    public static async Task<AccessHouse> OpenAsync(ServerFixture server)
    {
        var house = new AccessHouse(server);
        foreach (var thing in house.Things)
        {
            await house.RestoreAsync(thing);
        }
        return house;
    }

    public async Task RestoreAsync(Thing thing)
    {
        var put = await Admin.PutAsync(thing.Key, thing.Body.ToJsonString());
        Assert.True(put.Status is 200 or 201, put.Text);
    }

    /// <summary>Somebody new who has signed in, with an app that has these scopes.</summary>
    public async Task<FhirClient> SignInAsync(string scope, string? fhirUser, string? launchPatient, params HeldRole[] roles) =>
        new(_server.Base, await TokenAsync(ServerFixture.ClientId, scope, fhirUser, launchPatient, roles));

    /// <summary>Of somebody new who has signed in with that app.</summary>
    public async Task<string> TokenAsync(string app, string scope, string? fhirUser, string? launchPatient, params HeldRole[] roles)
    {
        var accounts = _server.Services.GetRequiredService<SealedRecords<Account>>();
        var id = Guid.NewGuid().ToString();
        var account = new Account { UserName = $"{id}@example.org", Status = AccountStatus.Active, FhirUser = fhirUser, Roles = [.. roles] };
        Assert.True(await accounts.TryWriteAsync(id, account, 0, null, default));
        return Token(app, scope, id, launchPatient);
    }

    public FhirClient Client(string scope) => new(_server.Base, Token(ServerFixture.ClientId, scope, ServerFixture.ClientId, null));

    /// <param name="subject">Of a person's account, or the app itself.</param>
    public string Token(string app, string scope, string subject, string? patient)
    {
        var addresses = _server.Services.GetRequiredService<PublicAddresses>();
        var claims = new Dictionary<string, object>
        {
            ["sub"] = subject,
            ["client_id"] = app,
            ["scope"] = scope,
            ["jti"] = Guid.NewGuid().ToString(),
        };
        if (patient is not null)
        {
            claims["patient"] = patient;
        }
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = addresses.Issuer,
            Audience = addresses.FhirBase,
            TokenType = "at+jwt",
            Claims = claims,
            Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(30),
            SigningCredentials = new(_server.Services.GetRequiredService<ServerKeys>().Signing, SecurityAlgorithms.EcdsaSha256),
        });
    }

    private IEnumerable<Thing> Furnish()
    {
        yield return Make("Organization", "oa", [], "A", "\"name\":\"A\"");
        yield return Make("Organization", "ob", [], "B", "\"name\":\"B\"");
        yield return Make("Patient", "p1", ["p1"], "A", $$"""
            "name":[{"family":"{{Run}}own"}],"identifier":[{"system":"urn:access","value":"{{Run}}-1"}],"managingOrganization":{"reference":"Organization/{{OrganizationA}}"}
            """);
        yield return Make("Patient", "p2", ["p2"], "B", $$"""
            "name":[{"family":"{{Run}}other"}],"identifier":[{"system":"urn:access","value":"{{Run}}-2"}],"managingOrganization":{"reference":"Organization/{{OrganizationB}}"}
            """);
        foreach (var patient in (string[])["p1", "p2"])
        {
            var organization = patient == "p1" ? "A" : "B";
            yield return Observation("lab", patient, "laboratory", null);
            yield return Observation("vital", patient, "vital-signs", null);
            yield return Observation("lab-r", patient, "laboratory", "R");
            yield return Observation("lab-v", patient, "laboratory", "V");
            yield return Make("Appointment", $"appt-{patient}", [patient], null, $$"""
                "status":"proposed","participant":[{"actor":{"reference":"Patient/{{Run}}-{{patient}}"},"status":"accepted"},{"actor":{"reference":"Location/{{Run}}-la"},"status":"needs-action"}]
                """);
            yield return Make("Encounter", $"enc-{patient}", [patient], organization, $$"""
                "status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/{{Run}}-{{patient}}"},"serviceProvider":{"reference":"Organization/{{Run}}-o{{organization.ToLowerInvariant()}}"}
                """);
            yield return Make("RelatedPerson", $"rel-{patient}", [patient], null, $$""" "patient":{"reference":"Patient/{{Run}}-{{patient}}"} """);
            yield return Make("Provenance", $"prov-{patient}", [patient], null, $$"""
                "target":[{"reference":"Patient/{{Run}}-{{patient}}"}],"recorded":"2026-01-01T00:00:00Z","agent":[{"who":{"reference":"Practitioner/{{Run}}-dr"} }]
                """);
            yield return Make("AuditEvent", $"audit-{patient}", [patient], null, $$"""
                "type":{"code":"rest"},"recorded":"2026-01-01T00:00:00Z","agent":[{"requestor":true}],"source":{"observer":{"display":"us"} },"entity":[{"what":{"reference":"Patient/{{Run}}-{{patient}}"} }]
                """);
        }
        yield return Make("Practitioner", "dr", [], null, $$""" "name":[{"family":"{{Run}}doctor"}] """);
        yield return Make("Location", "la", [], "A", $$""" "name":"A","managingOrganization":{"reference":"Organization/{{OrganizationA}}"} """);
        yield return Make("Location", "lb", [], "B", $$""" "name":"B","managingOrganization":{"reference":"Organization/{{OrganizationB}}"} """);
        yield return Make("Schedule", "sched", [], null, $$""" "actor":[{"reference":"Location/{{Run}}-la"}] """);
        yield return Make("Slot", "slot", [], null, $$""" "schedule":{"reference":"Schedule/{{Run}}-sched"},"status":"free","start":"2040-01-02T09:00:00Z","end":"2040-01-02T09:30:00Z" """);
        yield return Make("Task", "task", [], null, "\"status\":\"draft\",\"intent\":\"plan\"");
    }

    private Thing Observation(string kind, string patient, string category, string? label) => Make("Observation", $"{kind}-{patient}", [patient], null, $$"""
        "status":"final","code":{"text":"c"},"category":[{"coding":[{"system":"{{Category}}","code":"{{category}}"}]}],"subject":{"reference":"Patient/{{Run}}-{{patient}}" }
        """, category, label);

    private Thing Make(string type, string name, string[] patients, string? organization, string elements, string? category = null, string? label = null)
    {
        var security = label is null ? "" : $$""" ,"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"{{label}}" }] """;
        var json = $$"""{"resourceType":"{{type}}","id":"{{Run}}-{{name}}","meta":{"tag":[{"system":"urn:run","code":"{{Run}}" }]{{security}} },{{elements}} }""";
        return new(type, name, patients, organization, category, label) { Body = JsonNode.Parse(json)!.AsObject() };
    }
}
