using System.Text;
using System.Text.Json.Nodes;
using FhirServer.Http;
using FhirServer.Interactions;

namespace FhirServer.Tests.AppState;

/// <summary>What apps leave for themselves, rule by rule: https://hl7.org/fhir/smart-app-launch/app-state.html.</summary>
public sealed class AppStateTests(ServerFixture server)
{
    [Fact]
    public async Task Discovery_NamesTheEndpoint_AndWhatItDoes()
    {
        var smart = (await server.Anonymous.GetAsync(".well-known/smart-configuration")).Json;
        Assert.Contains("smart-app-state", smart["capabilities"]!.AsArray().Select(capability => (string)capability!));
        Assert.Equal(server.Origin + "/app-state", (string?)smart["smart_app_state_endpoint"]);
        var associated = Assert.Single(smart["associated_endpoints"]!.AsArray())!;
        Assert.Equal(server.Origin + "/app-state", (string?)associated["url"]);
        Assert.Equal("smart-app-state", (string?)Assert.Single(associated["capabilities"]!.AsArray()));

        using var anonymous = new FhirClient(server.Origin + "/app-state", null);
        var metadata = await anonymous.GetAsync("metadata", ("Origin", "https://anybody.example"));
        Assert.Equal("*", metadata.Response.Headers.GetValues("Access-Control-Allow-Origin").Single());
        var rest = metadata.Json["rest"]![0]!;
        var basic = Assert.Single(rest["resource"]!.AsArray())!;
        Assert.Equal("Basic", (string?)basic["type"]);
        Assert.Equal("http://hl7.org/fhir/smart-app-launch/StructureDefinition/smart-app-state-basic", (string?)basic["supportedProfile"]![0]);
        Assert.Equal(["create", "delete", "read", "search-type", "update"], basic["interaction"]!.AsArray().Select(interaction => (string)interaction!["code"]!).Order(StringComparer.Ordinal));
        Assert.Equal(["code", "subject"], basic["searchParam"]!.AsArray().Select(parameter => (string)parameter!["name"]!).Order(StringComparer.Ordinal));
        Assert.Null(rest["interaction"]);
        Assert.Equal("http://hl7.org/fhir/smart-app-launch/CapabilityStatement/smart-app-state-server", (string?)metadata.Json["instantiates"]![0]);
        Assert.Equal(server.Origin + "/app-state", (string?)metadata.Json["implementation"]!["url"]);
        Assert.True(JsonNode.DeepEquals(smart, (await anonymous.GetAsync(".well-known/smart-configuration")).Json));
    }

    [Fact]
    public async Task State_IsCreatedFoundReadChangedAndDeleted_WithETags()
    {
        var house = await StateHouse.OpenAsync(server);
        using var app = await house.PatientAsync();

        var made = await app.PostAsync("Basic", house.Basic(house.Own).ToJsonString());
        Assert.True(made.Status == 201, made.Text);
        Assert.Equal(StateHouse.ETag(1), made.ETag);
        Assert.Equal($"{house.Endpoint}/Basic/{made.Id}", made.Location);
        var expected = house.Basic(house.Own);
        AssertIs(expected, made, 1);

        var found = await app.GetAsync(house.Search(house.Own));
        Assert.Equal((200, "searchset", 1), (found.Status, (string?)found.Json["type"], (int?)found.Json["total"]));
        Assert.Equal($"{house.Endpoint}/Basic/{made.Id}", (string?)found.Entries[0]["fullUrl"]);
        Assert.True(JsonNode.DeepEquals(made.Json, found.Matches[0]));
        Assert.Equal($"{house.Endpoint}/{house.Search(house.Own)}", found.Link("self"));
        var read = await app.GetAsync($"Basic/{made.Id}");
        Assert.Equal((200, StateHouse.ETag(1)), (read.Status, read.ETag));
        Assert.True(JsonNode.DeepEquals(made.Json, read.Json));

        // As it was read, with the version of then in it; and several extensions, also none.
        var changed = read.Json;
        changed["extension"]!.AsArray().Add(new JsonObject { ["url"] = "https://else.example", ["valueString"] = "{\"<b>\":\"Ж\"}" });
        var second = await app.PutAsync($"Basic/{made.Id}", changed.ToJsonString(), ("If-Match", read.ETag!));
        Assert.True(second.Status == 200, second.Text);
        Assert.Equal(StateHouse.ETag(2), second.ETag);
        expected["extension"] = changed["extension"]!.DeepClone();
        AssertIs(expected, second, 2);
        expected.Remove("extension");
        expected["id"] = made.Id;
        var third = await app.PutAsync($"Basic/{made.Id}", expected.ToJsonString(), ("If-Match", StateHouse.ETag(2)));
        Assert.Equal((200, StateHouse.ETag(3)), (third.Status, third.ETag));
        AssertIs(expected, third, 3);
        Assert.True(JsonNode.DeepEquals(third.Json, (await app.GetAsync(house.Search(house.Own))).Matches[0]));

        var deleted = await app.DeleteAsync($"Basic/{made.Id}", ("If-Match", StateHouse.ETag(3)));
        Assert.Equal((204, 0), (deleted.Status, deleted.Bytes.Length));
        Assert.Equal(404, (await app.GetAsync($"Basic/{made.Id}")).Status);
        Assert.Equal(0, (int?)(await app.GetAsync(house.Search(house.Own))).Json["total"]);
        foreach (var version in (long[])[1, 3, 4])
        {
            Refused(await app.PutAsync($"Basic/{made.Id}", expected.ToJsonString(), ("If-Match", StateHouse.ETag(version))), 412, "conflict", "Basic.meta.versionId");
            Refused(await app.DeleteAsync($"Basic/{made.Id}", ("If-Match", StateHouse.ETag(version))), 412, "conflict", "Basic.meta.versionId");
        }
        Assert.Equal(0, await house.CountAsync(house.Own));
    }

    [Fact]
    public async Task StatesOfTheAppAsAWhole_AreFoundBySubjectMissing()
    {
        var house = await StateHouse.OpenAsync(server);
        var whole = await house.CreateAsync(null);
        var own = await house.CreateAsync(house.Own);
        using var app = await house.DoctorAsync();

        Assert.Equal([whole.Id], (await app.GetAsync(house.Search(null))).Matches.Select(match => (string?)match["id"]));
        Assert.Equal([own.Id], (await app.GetAsync(house.Search(house.Own))).Matches.Select(match => (string?)match["id"]));
        Assert.Empty((await app.GetAsync(house.Search(house.Other))).Matches);
        Assert.Empty((await app.GetAsync(house.Search(null, house.Code + "-else"))).Matches);
    }

    [Fact]
    public async Task States_AreNoResourcesOfTheFhirServer()
    {
        var house = await StateHouse.OpenAsync(server);
        var made = await house.CreateAsync(house.Own);
        var code = Uri.EscapeDataString($"{StateHouse.Origin}|{house.Code}");

        Assert.Equal(404, (await server.Client.GetAsync($"Basic/{made.Id}")).Status);
        Assert.Empty((await server.Client.GetAsync($"Basic?code={code}")).Matches);
        Assert.Empty((await server.Client.GetAsync($"Patient?_id={house.House.Own}&_revinclude=Basic:subject")).Entries.Skip(1));
        var basic = house.Basic($"Patient/{house.House.Own}");
        var ordinary = await server.Client.PostAsync("Basic", basic.ToJsonString());
        Assert.Equal(201, ordinary.Status);
        Assert.Equal(1, await house.CountAsync(house.Own));
        using var overseer = house.Overseer;
        Assert.Equal(404, (await overseer.GetAsync($"Basic/{ordinary.Id}")).Status);
    }

    public static TheoryData<string, int, string, string?> CreateRefusals => new()
    {
        { "id", 400, "invalid", "Basic.id" },
        { "version", 400, "invalid", "Basic.meta.versionId" },
        { "no code", 400, "invalid", "Basic.code.coding" },
        { "text only", 400, "invalid", "Basic.code.coding" },
        { "two codings", 400, "invalid", "Basic.code.coding" },
        { "no system", 400, "invalid", "Basic.code.coding" },
        { "no code in the coding", 400, "invalid", "Basic.code.coding" },
        { "other value", 400, "invalid", "Basic.extension[1]" },
        { "complex", 400, "invalid", "Basic.extension[1]" },
        { "modifier", 400, "invalid", "Basic.modifierExtension" },
        { "relative", 400, "invalid", "Basic.subject.reference" },
        { "elsewhere", 400, "invalid", "Basic.subject.reference" },
        { "other type", 400, "invalid", "Basic.subject.reference" },
        { "logical", 400, "invalid", "Basic.subject.reference" },
        { "version of a subject", 400, "invalid", "Basic.subject.reference" },
        { "too long", 413, "too-long", null },
        { "no JSON", 400, "structure", null },
        { "no such element", 400, "structure", "Basic.colour" },
        { "other resource", 400, "structure", "Observation" },
    };

    [Theory]
    [MemberData(nameof(CreateRefusals))]
    public async Task Create_OfWhatIsNoState_IsRefused_AndNothingIsKept(string what, int status, string code, string? expression)
    {
        var house = await StateHouse.OpenAsync(server);
        using var overseer = house.Overseer;
        var basic = house.Basic(house.Own);
        var coding = basic["code"]!["coding"]!.AsArray();
        var extensions = basic["extension"]!.AsArray();
        var subject = basic["subject"]!.AsObject();
        switch (what)
        {
            case "id": basic["id"] = "mine"; break;
            case "version": basic["meta"] = new JsonObject { ["versionId"] = "1" }; break;
            case "no code": basic["code"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["display"] = "x" }) }; break;
            case "text only": basic["code"] = new JsonObject { ["text"] = house.Code }; break;
            case "two codings": coding.Add(coding[0]!.DeepClone()); break;
            case "no system": coding[0]!.AsObject().Remove("system"); break;
            case "no code in the coding": coding[0]!.AsObject().Remove("code"); break;
            case "other value": extensions.Add(new JsonObject { ["url"] = "https://x.example", ["valueInteger"] = 1 }); break;
            case "complex": extensions.Add(new JsonObject { ["url"] = "https://x.example", ["extension"] = new JsonArray(new JsonObject { ["url"] = "y", ["valueString"] = "z" }) }); break;
            case "modifier": basic["modifierExtension"] = new JsonArray(new JsonObject { ["url"] = "https://x.example", ["valueString"] = "z" }); break;
            case "relative": subject["reference"] = $"Patient/{house.House.Own}"; break;
            case "elsewhere": subject["reference"] = $"https://else.example/fhir/Patient/{house.House.Own}"; break;
            case "other type": subject["reference"] = house.Absolute($"Organization/{house.House.OrganizationA}"); break;
            case "logical": basic["subject"] = new JsonObject { ["identifier"] = new JsonObject { ["value"] = "1" } }; break;
            case "version of a subject": subject["reference"] = house.Own + "/_history/1"; break;
            case "too long": extensions[0]!["valueString"] = new string('x', 256 * 1024); break;
            case "no such element": basic["colour"] = "blue"; break;
            case "other resource": basic["resourceType"] = "Observation"; break;
        }

        Refused(await overseer.PostAsync("Basic", what == "no JSON" ? "{" : basic.ToJsonString()), status, code, expression);
        Assert.Equal(0, await house.CountAsync(house.Own));
        Assert.Equal(0, await house.CountAsync(null));
    }

    [Fact]
    public async Task Create_OfExactlyTheMostBytes_IsKept()
    {
        var house = await StateHouse.OpenAsync(server);
        using var app = await house.PatientAsync();
        var basic = house.Basic(house.Own, "");
        basic["extension"]![0]!["valueString"] = "x";
        basic["extension"]![0]!["valueString"] = new string('x', (256 * 1024) - Encoding.UTF8.GetByteCount(basic.ToJsonString()) + 1);

        Assert.Equal(256 * 1024, Encoding.UTF8.GetByteCount(basic.ToJsonString()));
        Assert.Equal(201, (await app.PostAsync("Basic", basic.ToJsonString())).Status);
        basic["extension"]![0]!["valueString"] += "x";
        Refused(await app.PostAsync("Basic", basic.ToJsonString()), 413, "too-long", null);
        Assert.Equal(1, await house.CountAsync(house.Own));
    }

    [Fact]
    public async Task Create_BeyondTheMostOfOneCodeAndSubject_IsRefused()
    {
        var house = await StateHouse.OpenAsync(server);
        using var app = await house.PatientAsync();
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(201, (await app.PostAsync("Basic", house.Basic(house.Own, $"{i}").ToJsonString())).Status);
        }
        Refused(await app.PostAsync("Basic", house.Basic(house.Own).ToJsonString()), 409, "too-long", "Basic.code");
        Assert.Equal(20, await house.CountAsync(house.Own));
        Assert.Equal(201, (await app.PostAsync("Basic", house.Basic(house.Own, code: house.Code + "-2").ToJsonString())).Status);
    }

    public static TheoryData<string, int, string, string?> UpdateRefusals => new()
    {
        { "no If-Match", 428, "conflict", null },
        { "If-Match of nothing", 400, "value", null },
        { "If-Match of anything", 400, "value", null },
        { "stale", 412, "conflict", "Basic.meta.versionId" },
        { "not yet", 412, "conflict", "Basic.meta.versionId" },
        { "no id", 400, "invalid", "Basic.id" },
        { "other id", 400, "invalid", "Basic.id" },
        { "other subject", 412, "conflict", "Basic.code" },
        { "no subject", 412, "conflict", "Basic.code" },
        { "other code", 412, "conflict", "Basic.code" },
        { "other system", 412, "conflict", "Basic.code" },
        { "two codings", 400, "invalid", "Basic.code.coding" },
        { "other value", 400, "invalid", "Basic.extension[0]" },
        { "too long", 413, "too-long", null },
        { "unknown", 412, "conflict", "Basic.meta.versionId" },
    };

    [Theory]
    [MemberData(nameof(UpdateRefusals))]
    public async Task Update_ThatBreaksARule_IsRefused_AndNothingChanges(string what, int status, string code, string? expression)
    {
        var house = await StateHouse.OpenAsync(server);
        using var overseer = house.Backend("system/Basic.cruds?code=" + Uri.EscapeDataString($"{StateHouse.Origin}|{house.Code}") + " system/Basic.cruds?code=" + Uri.EscapeDataString($"{StateHouse.Origin}|else"));
        var first = await house.CreateAsync(house.Own);
        var id = first.Id!;
        var body = first.Json;
        Assert.Equal(200, (await overseer.PutAsync($"Basic/{id}", body.ToJsonString(), ("If-Match", StateHouse.ETag(1)))).Status);
        var before = await overseer.GetAsync($"Basic/{id}");
        body["extension"]![0]!["valueString"] = "light";
        var (path, match) = ($"Basic/{id}", StateHouse.ETag(2));
        var coding = body["code"]!["coding"]!.AsArray();
        switch (what)
        {
            case "no If-Match": match = null; break;
            case "If-Match of nothing": match = "W/\"x\""; break;
            case "If-Match of anything": match = "*"; break;
            case "stale": match = StateHouse.ETag(1); break;
            case "not yet": match = StateHouse.ETag(3); break;
            case "no id": body.Remove("id"); break;
            case "other id": body["id"] = "else"; break;
            case "other subject": body["subject"]!["reference"] = house.Other; break;
            case "no subject": body.Remove("subject"); break;
            case "other code": coding[0]!["code"] = "else"; break;
            case "other system": coding[0]!["system"] = StateHouse.Origin + "/else"; break;
            case "two codings": coding.Add(coding[0]!.DeepClone()); break;
            case "other value": body["extension"]![0]!.AsObject().Remove("valueString"); body["extension"]![0]!["valueBoolean"] = true; break;
            case "too long": body["extension"]![0]!["valueString"] = new string('x', 256 * 1024); break;
            case "unknown": (path, body["id"]) = ("Basic/nobody-has-this", "nobody-has-this"); break;
        }

        Refused(await overseer.SendAsync("PUT", path, Encoding.UTF8.GetBytes(body.ToJsonString()), match is null ? [] : [("If-Match", match)]), status, code, expression);
        var after = await overseer.GetAsync($"Basic/{id}");
        Assert.Equal((before.ETag, before.Text), (after.ETag, after.Text));
        Assert.Equal(404, (await overseer.GetAsync("Basic/nobody-has-this")).Status);
        Assert.Equal((1, 0, 0), (await house.CountAsync(house.Own), await house.CountAsync(house.Other), await house.CountAsync(null)));
    }

    [Theory]
    [InlineData(null, 428, "conflict", null)]
    [InlineData("W/\"1\"", 412, "conflict", "Basic.meta.versionId")]
    [InlineData("W/\"3\"", 412, "conflict", "Basic.meta.versionId")]
    [InlineData("*", 400, "value", null)]
    public async Task Delete_OfAnotherVersionThanTheLast_IsRefused_AndNothingGoes(string? match, int status, string code, string? expression)
    {
        var house = await StateHouse.OpenAsync(server);
        using var overseer = house.Overseer;
        var first = await house.CreateAsync(house.Own);
        Assert.Equal(200, (await overseer.PutAsync($"Basic/{first.Id}", first.Text, ("If-Match", StateHouse.ETag(1)))).Status);

        Refused(await overseer.SendAsync("DELETE", $"Basic/{first.Id}", null, match is null ? [] : [("If-Match", match)]), status, code, expression);
        Assert.Equal(StateHouse.ETag(2), (await overseer.GetAsync($"Basic/{first.Id}")).ETag);
    }

    [Fact]
    public async Task OfManyAtOnce_OneChangesTheVersionThatWasRead()
    {
        var house = await StateHouse.OpenAsync(server);
        using var overseer = house.Overseer;
        var made = await house.CreateAsync(null);

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => i % 4 == 3
            ? overseer.DeleteAsync($"Basic/{made.Id}", ("If-Match", StateHouse.ETag(1)))
            : overseer.PutAsync($"Basic/{made.Id}", made.Text.Replace("dark", $"dark-{i}", StringComparison.Ordinal), ("If-Match", StateHouse.ETag(1)))));

        var done = Assert.Single(answers, answer => answer.Status is 200 or 204);
        Assert.All(answers.Where(answer => answer != done), answer => Refused(answer, 412, "conflict", "Basic.meta.versionId"));
        var left = await overseer.GetAsync($"Basic/{made.Id}");
        Assert.True(done.Status == 200 ? left.Text == done.Text : left.Status == 404, left.Text);
    }

    [Theory]
    [InlineData("Basic")]
    [InlineData("Basic?code={code}")]
    [InlineData("Basic?subject={own}")]
    [InlineData("Basic?code=plain&subject={own}")]
    [InlineData("Basic?code={code}&code={code}&subject={own}")]
    [InlineData("Basic?code={code}&subject={own}&subject={own}")]
    [InlineData("Basic?code={code}&subject={own}&subject:missing=true")]
    [InlineData("Basic?code={code}&subject:missing=false")]
    [InlineData("Basic?code={code}&subject=Patient/1")]
    [InlineData("Basic?code={code}&subject=https%3A%2F%2Felse.example%2Ffhir%2FPatient%2F1")]
    [InlineData("Basic?code={code}&subject={own}&_count=1")]
    [InlineData("Basic?code={code}&subject={own}&_include=Basic:subject")]
    [InlineData("Basic?code={code}&subject.name=x")]
    [InlineData("Basic?code:not={code}&subject={own}")]
    [InlineData("Basic?_id=1")]
    public async Task Search_OfAnythingButOneCodeAndOneSubject_IsRefused(string query)
    {
        var house = await StateHouse.OpenAsync(server);
        await house.CreateAsync(house.Own);
        using var overseer = house.Overseer;
        var address = query.Replace("{code}", Uri.EscapeDataString($"{StateHouse.Origin}|{house.Code}"), StringComparison.Ordinal).Replace("{own}", Uri.EscapeDataString(house.Own), StringComparison.Ordinal);

        Refused(await overseer.GetAsync(address), 400, "invalid", null);
    }

    [Fact]
    public async Task NothingElseIsThere()
    {
        var house = await StateHouse.OpenAsync(server);
        var made = await house.CreateAsync(house.Own);
        using var all = house.Backend("system/*.cruds system/Basic.cruds?code=" + Uri.EscapeDataString($"{StateHouse.Origin}|{house.Code}"));
        var text = made.Text;
        var offered = new HashSet<(RouteKind, string)>
        {
            (RouteKind.Type, "GET"), (RouteKind.Type, "HEAD"), (RouteKind.Type, "POST"), (RouteKind.Instance, "GET"), (RouteKind.Instance, "HEAD"), (RouteKind.Instance, "PUT"), (RouteKind.Instance, "DELETE"),
        };
        foreach (var (kind, path) in new[]
        {
            (RouteKind.System, ""), (RouteKind.SystemSearch, "_search"), (RouteKind.SystemHistory, "_history"), (RouteKind.SystemOperation, "$op"),
            (RouteKind.Type, "Basic"), (RouteKind.TypeSearch, "Basic/_search"), (RouteKind.TypeHistory, "Basic/_history"), (RouteKind.TypeOperation, "Basic/$op"),
            (RouteKind.Instance, $"Basic/{made.Id}"), (RouteKind.InstanceHistory, $"Basic/{made.Id}/_history"), (RouteKind.Version, $"Basic/{made.Id}/_history/1"),
            (RouteKind.InstanceOperation, $"Basic/{made.Id}/$op"),
        })
        {
            foreach (var method in (string[])["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
            {
                if (offered.Contains((kind, method)))
                {
                    continue;
                }
                var answer = await all.SendAsync(method, path, method is "GET" or "HEAD" or "DELETE" ? null : Encoding.UTF8.GetBytes(text), ("If-Match", StateHouse.ETag(1)));
                Assert.True(answer.Status is 404 or 405 or 415, $"{method} {path}: {answer.Status} {answer.Text}");
            }
        }
        foreach (var path in (string[])[$"Patient/{house.House.Own}", "Patient", "Appointment/$find", "Slot", "AuditEvent"])
        {
            Refused(await all.GetAsync(path), 404, "not-supported", null);
        }
        Refused(await all.PostAsync("Basic", house.Basic(house.Own).ToJsonString(), ("If-None-Exist", "code=x")), 400, "not-supported", null);
        Refused(await all.PutAsync($"Basic/{made.Id}", text, ("If-Match", StateHouse.ETag(1)), ("If-None-Match", "*")), 400, "not-supported", null);
        Assert.Equal(1, await house.CountAsync(house.Own));
        Assert.Equal(StateHouse.ETag(1), (await all.GetAsync($"Basic/{made.Id}")).ETag);
        Assert.Equal(304, (await all.GetAsync($"Basic/{made.Id}", ("If-None-Match", StateHouse.ETag(1)))).Status);
    }

    [Fact]
    public async Task PagesOfTheAppsOrigin_MayAsk_AndOthersMayNot()
    {
        var house = await StateHouse.OpenAsync(server);
        using var app = await house.PatientAsync();
        var preflight = await app.SendAsync("OPTIONS", "Basic/1", null, ("Origin", StateHouse.Origin), ("Access-Control-Request-Method", "PUT"), ("Access-Control-Request-Headers", "authorization,if-match"));
        Assert.Equal((204, StateHouse.Origin), (preflight.Status, preflight.Response.Headers.GetValues("Access-Control-Allow-Origin").Single()));
        Assert.Contains("If-Match", preflight.Response.Headers.GetValues("Access-Control-Allow-Headers").Single(), StringComparison.Ordinal);
        var found = await app.GetAsync(house.Search(house.Own), ("Origin", StateHouse.Origin));
        Assert.Equal(StateHouse.Origin, found.Response.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("ETag", found.Response.Headers.GetValues("Access-Control-Expose-Headers").Single(), StringComparison.Ordinal);
        Assert.False((await app.GetAsync(house.Search(house.Own), ("Origin", "https://evil.example"))).Response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task EveryAccess_IsOnRecord_UnderItsFullAddress()
    {
        var house = await StateHouse.OpenAsync(server);
        using var app = await house.PatientAsync();
        using var anonymous = new FhirClient(house.Endpoint, null);
        var made = await app.PostAsync("Basic", house.Basic(house.Own).ToJsonString());
        await app.GetAsync(house.Search(house.Own));
        await app.GetAsync($"Basic/{made.Id}");
        await app.DeleteAsync($"Basic/{made.Id}", ("If-Match", StateHouse.ETag(1)));
        await anonymous.GetAsync($"Basic/{made.Id}");
        await app.GetAsync(house.Search(house.Other));
        await house.CreateAsync(null); // answered when its event is stored, and with it all before it

        var address = $"{house.Endpoint}/Basic/{made.Id}";
        var events = await server.Client.SearchAllAsync($"AuditEvent?patient={house.House.Own}&outcome=0&_count=200");
        var states = events.Where(e => e.ToJsonString().Contains("/app-state/", StringComparison.Ordinal) || Query(e)?.Contains("/app-state/", StringComparison.Ordinal) is true).ToList();
        Assert.Equal(
            [("create", "PatientCreate", address + "/_history/1"), ("delete", "PatientDelete", address + "/_history/1"), ("read", "PatientRead", address + "/_history/1"), ("search", "PatientQuery", null)],
            states.Select(e => (Subtype(e), ((string?)e["meta"]!["profile"]?[0])?.Split('.')[^1], What(e))).Order());
        Assert.Equal($"{house.Endpoint}/{house.Search(house.Own)}", states.Select(Query).Single(query => query is not null));
        var refused = await server.Client.SearchAllAsync($"AuditEvent?patient={house.House.Other}&outcome=8&_count=200");
        Assert.Contains(refused, e => Query(e) == $"{house.Endpoint}/{house.Search(house.Other)}");

        static string? Subtype(JsonObject e) => (string?)e["subtype"]!.AsArray().Select(subtype => subtype!["code"]).LastOrDefault() is "search-type" or "search" ? "search" : (string?)e["subtype"]![0]!["code"];
        static string? What(JsonObject e) => e["entity"]!.AsArray().Select(entity => (string?)entity!["what"]?["reference"]).FirstOrDefault(reference => reference?.Contains("/app-state/", StringComparison.Ordinal) is true);
        static string? Query(JsonObject e) => e["entity"]?.AsArray().Select(entity => (string?)entity!["query"]).FirstOrDefault(query => query is not null) is { } query ? Encoding.UTF8.GetString(Convert.FromBase64String(query)) : null;
    }

    private static void AssertIs(JsonObject sent, Answer answer, long version)
    {
        var got = answer.Json;
        Assert.Equal($"{version}", (string?)got["meta"]!["versionId"]);
        foreach (var (name, value) in sent.Where(element => element.Key is not ("meta" or "id")))
        {
            Assert.True(JsonNode.DeepEquals(value, got[name]), $"{name}: {got[name]}");
        }
        Assert.Equal(sent.ContainsKey("extension"), got.ContainsKey("extension"));
    }

    private static void Refused(Answer answer, int status, string code, string? expression)
    {
        Assert.True(answer.Status == status, $"{answer.Status} {answer.Text}");
        var issue = Assert.Single(answer.Issues);
        Assert.Equal((code, expression), ((string?)issue["code"], (string?)issue["expression"]?[0]));
    }
}
