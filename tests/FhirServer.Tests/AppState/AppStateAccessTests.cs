using System.Text.Json.Nodes;
using Authorization.Access;
using Authorization.Clients;
using Authorization.Server;
using Microsoft.Extensions.DependencyInjection;

namespace FhirServer.Tests.AppState;

/// <summary>Who sees and changes which states: every kind of scope × person × subject × code × interaction, against a table written by hand.</summary>
public sealed class AppStateAccessTests(ServerFixture server)
{
    private const string ElseCode = "else-code";
    private const string ElseOrigin = "https://else.example";
    private static readonly string[] Everything = ["search", "read", "create", "update", "delete"];

    /// <summary>Who asks.</summary>
    private enum Who
    {
        Patient,
        Doctor,
        DoctorOfA,
        Administrator,
        Backend,
    }

    [Fact]
    public async Task Everyone_DoesWithStates_WhatTheyAreGranted_AndNothingElse()
    {
        var house = await StateHouse.OpenAsync(server);
        await FurnishAsync(house);
        var granular = $"code={Uri.EscapeDataString($"{ElseOrigin}|{ElseCode}")}";
        var wrong = new List<string>();
        foreach (var who in Enum.GetValues<Who>())
        {
            foreach (var scope in (string[])["patient/Basic.cruds", "user/Basic.cruds", "user/*.rs", "patient/*.cruds", "user/Basic.cu", "user/Patient.cruds", $"user/Basic.cruds?{granular}", $"patient/Basic.rs?{granular}",
                $"system/Basic.cruds?{granular}", "system/*.cruds"])
            {
                if (scope.StartsWith("system", StringComparison.Ordinal) != (who == Who.Backend))
                {
                    continue;
                }
                using var client = await ClientAsync(house, who, scope);
                foreach (var subject in Subjects(house))
                {
                    foreach (var (system, code) in new[] { (StateHouse.Origin, house.Code), (ElseOrigin, ElseCode) })
                    {
                        var state = await StateAsync(house, subject, system, code);
                        foreach (var interaction in Everything)
                        {
                            var expected = IsGranted(house, who, scope, interaction, subject, system);
                            var status = await TryAsync(house, client, interaction, subject, system, code, state);
                            var refusal = interaction switch { "read" => 404, "update" or "delete" => 412, _ => 403 };
                            var done = interaction switch { "create" => 201, "delete" => 204, _ => 200 };
                            if (status != (expected ? done : refusal))
                            {
                                wrong.Add($"{who} with {scope}: {interaction} of {system}|{code} of {subject ?? "the app"} gave {status}, {(expected ? "granted" : "not granted")}");
                            }
                            if (expected && interaction is "update" or "delete")
                            {
                                state = await StateAsync(house, subject, system, code);
                            }
                        }
                    }
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public async Task WithoutAToken_NothingIsAnswered()
    {
        var house = await StateHouse.OpenAsync(server);
        var made = await house.CreateAsync(house.Own);
        using var anonymous = new FhirClient(house.Endpoint, null);

        foreach (var answer in new[]
        {
            await anonymous.GetAsync(house.Search(house.Own)), await anonymous.GetAsync($"Basic/{made.Id}"), await anonymous.PostAsync("Basic", house.Basic(house.Own).ToJsonString()),
            await anonymous.PutAsync($"Basic/{made.Id}", made.Text, ("If-Match", StateHouse.ETag(1))), await anonymous.DeleteAsync($"Basic/{made.Id}", ("If-Match", StateHouse.ETag(1))),
        })
        {
            Assert.Equal((401, "login"), (answer.Status, (string?)answer.Issues[0]["code"]));
        }
        Assert.Equal(1, await house.CountAsync(house.Own));
    }

    [Fact]
    public async Task WhatIsOutOfReach_AnswersAsIfItHadNeverBeen()
    {
        var house = await StateHouse.OpenAsync(server);
        var other = await house.CreateAsync(house.Other);
        using var app = await house.PatientAsync();
        var body = other.Json;
        foreach (var (method, headers) in new[] { ("GET", Array.Empty<(string, string)>()), ("PUT", [("If-Match", StateHouse.ETag(1))]), ("DELETE", [("If-Match", StateHouse.ETag(1))]) })
        {
            body["id"] = other.Id;
            var theirs = await app.SendAsync(method, $"Basic/{other.Id}", Body(), headers);
            body["id"] = "nobody-has-this-id";
            var nobodys = await app.SendAsync(method, "Basic/nobody-has-this-id", Body(), headers);
            Assert.Equal((nobodys.Status, nobodys.Text.Replace("nobody-has-this-id", other.Id, StringComparison.Ordinal)), (theirs.Status, theirs.Text));

            byte[]? Body() => method == "PUT" ? System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()) : null;
        }
        Assert.Equal(1, await house.CountAsync(house.Other));
    }

    [Fact]
    public async Task AppsOfOneOrigin_ShareStates_AndOthersDoNot()
    {
        var house = await StateHouse.OpenAsync(server);
        var registry = server.Services.GetRequiredService<ClientRegistry>();
        await registry.RegisterAsync(new ClientOptions { ClientId = "state-companion", Scope = "user/Basic.rs", RedirectUris = { StateHouse.Origin + "/companion" } }, default);
        await registry.RegisterAsync(new ClientOptions { ClientId = "state-stranger", Scope = "user/Basic.rs", RedirectUris = { StateHouse.Origin + ".evil.example/x" } }, default);
        await house.CreateAsync(house.Own);
        var doctor = new HeldRole(Role.Practitioner);

        using var companion = new FhirClient(house.Endpoint, await house.House.TokenAsync("state-companion", "user/Basic.rs", $"Practitioner/{house.House.Run}-dr", null, doctor));
        using var stranger = new FhirClient(house.Endpoint, await house.House.TokenAsync("state-stranger", "user/Basic.rs", $"Practitioner/{house.House.Run}-dr", null, doctor));
        Assert.Single((await companion.GetAsync(house.Search(house.Own))).Matches);
        Assert.Equal(403, (await stranger.GetAsync(house.Search(house.Own))).Status);
    }

    [Fact]
    public async Task PractitionerRole_IsTheirs_WhomItNames()
    {
        var house = await StateHouse.OpenAsync(server);
        foreach (var (id, practitioner) in new[] { ("own", $"{house.House.Run}-dr"), ("other", "somebody") })
        {
            var put = await server.Client.PutAsync($"PractitionerRole/{house.House.Run}-{id}", $$$"""{"resourceType":"PractitionerRole","id":"{{{house.House.Run}}}-{{{id}}}","practitioner":{"reference":"Practitioner/{{{practitioner}}}"}}""");
            Assert.Equal(201, put.Status);
        }
        using var doctor = await house.DoctorAsync();

        Assert.Equal(201, (await doctor.PostAsync("Basic", house.Basic(house.Absolute($"PractitionerRole/{house.House.Run}-own")).ToJsonString())).Status);
        Assert.Single((await doctor.GetAsync(house.Search(house.Absolute($"PractitionerRole/{house.House.Run}-own")))).Matches);
        foreach (var id in (string[])["other", "nobody"])
        {
            Assert.Equal(403, (await doctor.PostAsync("Basic", house.Basic(house.Absolute($"PractitionerRole/{house.House.Run}-{id}")).ToJsonString())).Status);
            Assert.Equal(403, (await doctor.GetAsync(house.Search(house.Absolute($"PractitionerRole/{house.House.Run}-{id}")))).Status);
        }
    }

    [Fact]
    public async Task Subject_ThatIsNotThere_HasNoStates()
    {
        var house = await StateHouse.OpenAsync(server);
        using var overseer = house.Overseer;
        using var doctor = await house.DoctorAsync();
        foreach (var client in new[] { overseer, doctor })
        {
            Assert.Equal(403, (await client.PostAsync("Basic", house.Basic(house.Absolute("Patient/nobody-at-all")).ToJsonString())).Status);
        }
    }

    private static string?[] Subjects(StateHouse house) => [house.Own, house.Other, house.Doctor, null];

    private static Task<FhirClient> ClientAsync(StateHouse house, Who who, string scope) => who switch
    {
        Who.Patient => house.PatientAsync(scope),
        Who.Doctor => house.SignInAsync(scope, $"Practitioner/{house.House.Run}-dr", house.House.Other, new HeldRole(Role.Practitioner)),
        Who.DoctorOfA => house.SignInAsync(scope, $"Practitioner/{house.House.Run}-dr", null, new HeldRole(Role.Practitioner, house.House.OrganizationA)),
        Who.Administrator => house.SignInAsync(scope, null, null, new HeldRole(Role.Administrator)),
        _ => Task.FromResult(house.Backend(scope)),
    };

    /// <summary>The rules of decision 0113 once more, in other words.</summary>
    private static bool IsGranted(StateHouse house, Who who, string scope, string interaction, string? subject, string system)
    {
        var filtered = scope.Contains('?', StringComparison.Ordinal);
        var name = scope.Split('?')[0];
        var letters = name.Split('.')[1];
        var letter = interaction switch { "search" => 's', "read" => 'r', "create" => 'c', "update" => 'u', _ => 'd' };
        if (!letters.Contains(letter, StringComparison.Ordinal) || !(name.Contains("/Basic.", StringComparison.Ordinal) || name.Contains("/*.", StringComparison.Ordinal)))
        {
            return false;
        }
        // A filter names the other app's code; without one it is the app's own origin, and backends have none.
        if (filtered ? system != ElseOrigin : system != StateHouse.Origin || who == Who.Backend)
        {
            return false;
        }
        if (who == Who.Backend)
        {
            return true;
        }
        if (name.StartsWith("patient/", StringComparison.Ordinal))
        {
            return (who, subject) switch
            {
                (Who.Patient, { } whose) => whose == house.Own,
                (Who.Doctor, { } whose) => whose == house.Other, // the patient of the context
                _ => false,
            };
        }
        return who switch
        {
            Who.Patient => subject == house.Own || (subject is null && letter is 'r' or 's'),
            Who.Doctor => subject is not null || letter is 'r' or 's',
            Who.DoctorOfA => subject == house.Own || subject == house.Doctor || (subject is null && letter is 'r' or 's'),
            _ => subject is null,
        };
    }

    private async Task FurnishAsync(StateHouse house)
    {
        foreach (var subject in Subjects(house))
        {
            await StateAsync(house, subject, StateHouse.Origin, house.Code);
            await StateAsync(house, subject, ElseOrigin, ElseCode);
        }
    }

    /// <summary>One that is there, whatever was changed or deleted before; and none besides it.</summary>
    private async Task<JsonObject> StateAsync(StateHouse house, string? subject, string system, string code)
    {
        using var overseer = house.Backend($"system/Basic.cruds?code={Uri.EscapeDataString($"{system}|{code}")}");
        var found = (await overseer.GetAsync(house.Search(subject, code, system))).Matches;
        foreach (var more in found.Skip(1))
        {
            Assert.Equal(204, (await overseer.DeleteAsync($"Basic/{more["id"]}", ("If-Match", StateHouse.ETag(long.Parse((string)more["meta"]!["versionId"]!, null))))).Status);
        }
        if (found is [var first, ..])
        {
            return first;
        }
        var made = await overseer.PostAsync("Basic", house.Basic(subject, code: code, system: system).ToJsonString());
        Assert.True(made.Status == 201, made.Text);
        return made.Json;
    }

    private static async Task<int> TryAsync(StateHouse house, FhirClient client, string interaction, string? subject, string system, string code, JsonObject state)
    {
        var path = $"Basic/{state["id"]}";
        var match = ("If-Match", StateHouse.ETag(long.Parse((string)state["meta"]!["versionId"]!, null)));
        var answer = interaction switch
        {
            "search" => await client.GetAsync(house.Search(subject, code, system)),
            "read" => await client.GetAsync(path),
            "create" => await client.PostAsync("Basic", house.Basic(subject, code: code, system: system).ToJsonString()),
            "update" => await client.PutAsync(path, state.ToJsonString(), match),
            _ => await client.DeleteAsync(path, match),
        };
        if (interaction == "search" && answer.Status == 200)
        {
            Assert.Contains(answer.Matches, found => (string?)found["id"] == (string?)state["id"]);
        }
        return answer.Status;
    }
}
