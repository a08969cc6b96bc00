using System.Text.Json.Nodes;
using Authorization.Access;
using Authorization.Clients;
using Authorization.Server;
using FhirServer.Tests.Access;
using Microsoft.Extensions.DependencyInjection;

namespace FhirServer.Tests.AppState;

/// <summary>A house with an app of its own, whose states are asked for at the app-state endpoint.</summary>
internal sealed class StateHouse
{
    public const string Origin = "https://state-app.example";
    private const string App = "state-app";

    private StateHouse(ServerFixture server, AccessHouse house)
    {
        (Server, House) = (server, house);
        Code = house.Run;
    }

    public ServerFixture Server { get; }

    public AccessHouse House { get; }

    /// <summary>Of the app's origin, and of nobody else's test.</summary>
    public string Code { get; }

    public string Endpoint => Server.Origin + "/app-state";

    public string Own => Absolute($"Patient/{House.Own}");

    public string Other => Absolute($"Patient/{House.Other}");

    public string Doctor => Absolute($"Practitioner/{House.Run}-dr");

    public static async Task<StateHouse> OpenAsync(ServerFixture server)
    {
        var registry = server.Services.GetRequiredService<ClientRegistry>();
        await registry.RegisterAsync(new ClientOptions { ClientId = App, Scope = "patient/Basic.cruds user/Basic.cruds", RedirectUris = { Origin + "/callback" } }, default);
        return new(server, await AccessHouse.OpenAsync(server));
    }

    public string Absolute(string reference) => $"{Server.Base}/{reference}";

    /// <summary>The patient of the house, with the app at this scope and their own record in context.</summary>
    public Task<FhirClient> PatientAsync(string scope = "patient/Basic.cruds") =>
        SignInAsync(scope, $"Patient/{House.Own}", House.Own, new HeldRole(Role.Patient));

    public Task<FhirClient> DoctorAsync(string scope = "user/Basic.cruds", params HeldRole[] roles) =>
        SignInAsync(scope, $"Practitioner/{House.Run}-dr", null, roles is [] ? [new HeldRole(Role.Practitioner)] : roles);

    public Task<FhirClient> AdministratorAsync() => SignInAsync("user/Basic.cruds", null, null, new HeldRole(Role.Administrator));

    public async Task<FhirClient> SignInAsync(string scope, string? fhirUser, string? launchPatient, params HeldRole[] roles) =>
        new(Endpoint, await House.TokenAsync(App, scope, fhirUser, launchPatient, roles));

    public FhirClient Backend(string scope) => new(Endpoint, House.Token(ServerFixture.ClientId, scope, ServerFixture.ClientId, null));

    /// <param name="subject">Null for the app as a whole.</param>
    public JsonObject Basic(string? subject, string value = "dark", string? code = null, string system = Origin)
    {
        var basic = new JsonObject
        {
            ["resourceType"] = "Basic",
            ["code"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = system, ["code"] = code ?? Code }) },
            ["extension"] = new JsonArray(new JsonObject { ["url"] = Origin + "/preferences", ["valueString"] = value }),
        };
        if (subject is not null)
        {
            basic["subject"] = new JsonObject { ["reference"] = subject };
        }
        return basic;
    }

    public string Search(string? subject, string? code = null, string system = Origin) =>
        $"Basic?code={Uri.EscapeDataString($"{system}|{code ?? Code}")}&{(subject is null ? "subject:missing=true" : $"subject={Uri.EscapeDataString(subject)}")}";

    public static string ETag(long version) => $"W/\"{version}\"";

    /// <summary>A backend that sees and changes every state of the house's own code.</summary>
    public FhirClient Overseer => Backend($"system/Basic.cruds?code={Uri.EscapeDataString($"{Origin}|{Code}")}");

    public async Task<int> CountAsync(string? subject)
    {
        using var overseer = Overseer;
        var found = await overseer.GetAsync(Search(subject));
        Assert.True(found.Status == 200, found.Text);
        return (int)found.Json["total"]!;
    }

    public async Task<Answer> CreateAsync(string? subject, string? code = null)
    {
        using var overseer = Backend($"system/Basic.cruds?code={Uri.EscapeDataString($"{Origin}|{code ?? Code}")}");
        var made = await overseer.PostAsync("Basic", Basic(subject, code: code).ToJsonString());
        Assert.True(made.Status == 201, made.Text);
        return made;
    }
}
