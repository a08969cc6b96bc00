using System.Text;
using System.Text.Json.Nodes;
using Auditing.Checking;
using FhirStore.Json;
using Microsoft.Extensions.DependencyInjection;

namespace FhirServer.Tests;

/// <summary>Every access and every refusal leaves exactly one AuditEvent, and the trail is read like any other type.</summary>
public sealed class AuditTests(ServerFixture server)
{
    private const string Person = "1";
    private readonly FhirClient _client = server.Client;

    [Fact]
    public async Task CreateReadUpdateDelete_EachLeaveOneEvent_OfTheirBalpProfile()
    {
        var mark = Mark();
        var id = (await _client.PostAsync("Patient", """{"resourceType":"Patient","gender":"male"}""", mark("create"))).Id!;
        await _client.GetAsync($"Patient/{id}", mark("read"));
        await _client.GetAsync($"Patient/{id}/_history/1", mark("vread"));
        await _client.GetAsync($"Patient/{id}", mark("not-modified"), ("If-None-Match", "W/\"1\""));
        await _client.PutAsync($"Patient/{id}", $$"""{"resourceType":"Patient","id":"{{id}}","gender":"female"}""", mark("update"));
        await _client.GetAsync($"Patient/{id}/_history", mark("history"));
        await _client.DeleteAsync($"Patient/{id}", mark("delete"));

        var events = await EventsAsync(mark, $"patient=Patient/{id}");
        Assert.Equal(7, events.Count);
        Check(events["create"], "C", "create", "0", "PatientCreate", $"Patient/{id}/_history/1", id);
        Check(events["read"], "R", "read", "0", "PatientRead", $"Patient/{id}/_history/1", id);
        Check(events["vread"], "R", "vread", "0", "PatientRead", $"Patient/{id}/_history/1", id);
        Check(events["not-modified"], "R", "read", "0", "PatientRead", $"Patient/{id}/_history/1", id);
        Check(events["update"], "U", "update", "0", "PatientUpdate", $"Patient/{id}/_history/2", id);
        Check(events["history"], "R", "history-instance", "0", null, $"Patient/{id}", id);
        Check(events["delete"], "D", "delete", "0", "PatientDelete", $"Patient/{id}/_history/3", id);
        Assert.All(events.Values, e => Assert.Equal(ServerFixture.ClientId, (string?)e["agent"]![0]!["who"]!["identifier"]!["value"]));
        Assert.All(events.Values, e => Assert.Equal("127.0.0.1", (string?)e["agent"]![0]!["network"]!["address"]));
    }

    [Fact]
    public async Task DataOfAPatient_NamesThePatient_AlsoWhenItIsGone()
    {
        var mark = Mark();
        var patient = (await _client.PostAsync("Patient", """{"resourceType":"Patient"}""")).Id!;
        var id = (await _client.PostAsync("Observation", $$$"""{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{{{patient}}}"}}""", mark("create"), ("Prefer", "return=minimal"))).Location!.Split('/')[^3];
        await _client.GetAsync($"Observation/{id}", mark("read"));
        await _client.DeleteAsync($"Observation/{id}", mark("delete"));
        await _client.GetAsync($"Observation/{id}", mark("gone"));
        await _client.GetAsync($"Observation?patient={patient}", mark("search"));
        await _client.GetAsync($"Observation?_id=none&subject=Patient/{patient}", mark("nothing"));

        var events = await EventsAsync(mark, $"patient={patient}");
        Assert.Equal(["create", "delete", "gone", "nothing", "read", "search"], events.Keys.Order(StringComparer.Ordinal));
        Check(events["create"], "C", "create", "0", "PatientCreate", $"Observation/{id}/_history/1", patient);
        Check(events["delete"], "D", "delete", "0", "PatientDelete", $"Observation/{id}/_history/2", patient);
        Check(events["gone"], "R", "read", "4", null, $"Observation/{id}/_history/2", patient);
        Assert.Equal($"Observation?patient={patient}", Query(events["search"]));
        Assert.Equal("https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery", (string?)events["search"]["meta"]!["profile"]![0]);
    }

    [Fact]
    public async Task Search_NamesThePatientsItHasGivenOut()
    {
        var mark = Mark();
        var family = "Audit" + Guid.NewGuid().ToString("N");
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add((await _client.PostAsync("Patient", $$"""{"resourceType":"Patient","name":[{"family":"{{family}}"}]}""")).Id!);
        }
        await _client.GetAsync($"Patient?family={family}", mark("get"));
        await _client.SendAsync("POST", "Patient/_search", Encoding.UTF8.GetBytes($"family={family}"), mark("post"), ("Content-Type", "application/x-www-form-urlencoded"));

        var events = await EventsAsync(mark, $"patient={ids[1]}&subtype=search-type");
        Assert.Equal(2, events.Count);
        Assert.All(events.Values, e => Assert.Equal(ids.Order(StringComparer.Ordinal), Patients(e).Order(StringComparer.Ordinal)));
        Assert.Equal($"Patient?family={family}", Query(events["get"]));
        Assert.Equal($"Patient?family={family}", Query(events["post"]));
    }

    [Fact]
    public async Task Refusals_LeaveOneEventEach()
    {
        var mark = Mark();
        var id = Guid.NewGuid().ToString();
        Assert.Equal(401, (await server.Anonymous.GetAsync($"Patient/{id}", mark("no-token"))).Status);
        Assert.Equal(403, (await server.Reader.PostAsync("Patient", """{"resourceType":"Patient"}""", mark("no-scope"))).Status);
        Assert.Equal(403, (await server.Reader.GetAsync($"Observation/{id}", mark("no-type"))).Status);
        Assert.Equal(404, (await _client.GetAsync($"Patient/{id}", mark("not-there"))).Status);
        Assert.Equal(404, (await _client.GetAsync("Nonsense/1", mark("no-type-at-all"))).Status);
        Assert.Equal(400, (await _client.GetAsync("Patient?_count=x", mark("bad-search"))).Status);
        Assert.Equal(400, (await _client.PostAsync("Patient", "{", mark("bad-body"))).Status);
        Assert.Equal(405, (await _client.SendAsync("PATCH", $"Patient/{id}", "[]"u8.ToArray(), mark("patch"))).Status);
        Assert.Equal(406, (await _client.GetAsync($"Patient/{id}", mark("not-acceptable"), ("Accept", "text/html"))).Status);

        var events = await EventsAsync(mark, "outcome=4,8");
        Assert.Equal(9, events.Count);
        Assert.Equal(("8", "HTTP 401 login", "unknown"), Told(events["no-token"]));
        Assert.Equal([id], Patients(events["no-token"]));
        Assert.Equal(("8", "HTTP 403 forbidden", ServerFixture.ReaderId), Told(events["no-scope"]));
        Assert.Equal(("8", "HTTP 403 forbidden", ServerFixture.ReaderId), Told(events["no-type"]));
        Assert.Equal(("4", "HTTP 404 not-found", ServerFixture.ClientId), Told(events["not-there"]));
        Assert.Equal(("4", "HTTP 404 not-supported", ServerFixture.ClientId), Told(events["no-type-at-all"]));
        Assert.Equal(("4", "HTTP 400 value", ServerFixture.ClientId), Told(events["bad-search"]));
        Assert.Equal("4", (string?)events["bad-body"]["outcome"]);
        Assert.Equal(("4", "HTTP 405 not-supported", ServerFixture.ClientId), Told(events["patch"]));
        Assert.Equal(("4", "HTTP 406 not-supported", ServerFixture.ClientId), Told(events["not-acceptable"]));
        Assert.All(events.Values, e => Assert.Null(e["meta"]!["profile"]));
    }

    [Fact]
    public async Task Bundles_LeaveAnEventForEachEntry_AndTheirOwn()
    {
        var mark = Mark();
        var (a, b) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        var transaction = $$$"""{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","id":"{{{a}}}"},"request":{"method":"PUT","url":"Patient/{{{a}}}"}},{"request":{"method":"GET","url":"Patient/{{{a}}}"}}]}""";
        Assert.Equal(200, (await _client.PostAsync("", transaction, mark("transaction"))).Status);
        var batch = $$$"""{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/{{{a}}}"}},{"request":{"method":"GET","url":"Patient/{{{b}}}"}},{"request":{"method":"GET","url":"Nonsense/1"}}]}""";
        Assert.Equal(200, (await _client.PostAsync("", batch, mark("batch"))).Status);

        var events = await AllAsync(mark, $"date=ge{DateTimeOffset.UnixEpoch:yyyy-MM-dd}");
        Assert.Equal(["read", "transaction", "update"], events.Where(e => e.Name == "transaction").Select(Code).Order(StringComparer.Ordinal));
        Assert.Equal(["batch", "none", "read 0", "read 4"], events.Where(e => e.Name == "batch").Select(e => Code(e) is "read" ? $"read {e.Event["outcome"]}" : Code(e)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Operations_TellTheirNameAndWhomTheyWereAbout()
    {
        var mark = Mark();
        await _client.PostAsync("Appointment/$book", """{"resourceType":"Parameters"}""", mark("book"));
        await _client.GetAsync("Appointment/$find?start=2030-01-01", mark("find"));
        var events = await EventsAsync(mark, "subtype=operation");
        Assert.Equal("Appointment/$find?start=2030-01-01", Query(events["find"]));
        Assert.Equal(("E", "operation"), ((string?)events["book"]["action"], Code(("", events["book"]))));
    }

    [Fact]
    public async Task Discovery_LeavesNothing()
    {
        var mark = Mark();
        Assert.Equal(200, (await server.Anonymous.GetAsync("metadata", mark("metadata"))).Status);
        Assert.Equal(200, (await server.Anonymous.GetAsync(".well-known/smart-configuration", mark("smart"))).Status);
        Assert.Equal(200, (await _client.GetAsync("Patient", mark("search"))).Status);
        Assert.Equal(["search"], (await EventsAsync(mark, "subtype=search,capabilities,read&_count=500")).Keys);
    }

    [Fact]
    public async Task EventsAreReadByIdAndNeverChanged()
    {
        var mark = Mark();
        await _client.GetAsync("Patient/nobody", mark("read"));
        var found = (await EventsAsync(mark, "entity=Patient/nobody"))["read"];
        var id = (string)found["id"]!;

        var read = await _client.GetAsync($"AuditEvent/{id}");
        Assert.Equal(200, read.Status);
        Assert.True(ResourceParser.Parse(read.Bytes, "AuditEvent").TryGet(out _, out _));
        Assert.True(JsonNode.DeepEquals(found, read.Json));
        Assert.Equal(304, (await _client.GetAsync($"AuditEvent/{id}", ("If-None-Match", read.ETag!))).Status);
        Assert.Equal(200, (await _client.GetAsync($"AuditEvent/{id}/_history/1")).Status);
        Assert.Equal(404, (await _client.GetAsync($"AuditEvent/{id}/_history/2")).Status);
        Assert.Equal(404, (await _client.GetAsync($"AuditEvent/{id}9999")).Status);
        Assert.Equal(405, (await _client.DeleteAsync($"AuditEvent/{id}")).Status);
        Assert.Equal(405, (await _client.PutAsync($"AuditEvent/{id}", read.Text)).Status);
        var transaction = $$$$"""{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{{{{read.Text}}}},"request":{"method":"PUT","url":"AuditEvent/{{{{id}}}}"}}]}""";
        Assert.Equal(405, (await _client.PostAsync("", transaction)).Status);
        Assert.Equal(405, (await _client.PostAsync("", $$$"""{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"AuditEvent/{{{id}}}"}}]}""")).Status);
        Assert.True(JsonNode.DeepEquals(found, (await _client.GetAsync($"AuditEvent/{id}")).Json));
        Assert.Equal(403, (await server.Reader.GetAsync($"AuditEvent/{id}")).Status);
        Assert.Equal(403, (await server.Reader.GetAsync("AuditEvent?action=R")).Status);
    }

    [Fact]
    public async Task EventsOfClients_AreStored_AndFoundAfterTheTrailsOwn()
    {
        var site = "site-" + Guid.NewGuid().ToString("N");
        var created = await _client.PostAsync("AuditEvent", $$"""{"resourceType":"AuditEvent","type":{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest"},"recorded":"2020-01-01T00:00:00Z","agent":[{"who":{"display":"x"} ,"requestor":true}],"source":{"observer":{"display":"y"},"site":"{{site}}"} }""");
        Assert.Equal(201, created.Status);
        Assert.Equal(created.Id, (string?)(await _client.SearchAllAsync($"AuditEvent?site={site}")).Single()["id"]);
        var all = await _client.GetAsync("AuditEvent?type=rest&_count=5");
        Assert.Equal(5, all.Matches.Count);
        Assert.NotNull(all.Link("next"));
        Assert.DoesNotContain(created.Id, all.Matches.Select(match => (string?)match["id"]));
    }

    [Fact]
    public async Task PagesHoldTogether_NewestFirst()
    {
        var mark = Mark();
        var id = Guid.NewGuid().ToString();
        for (var i = 0; i < 25; i++)
        {
            await _client.GetAsync($"Patient/{id}", mark($"n{i:00}"));
        }
        await EverythingIsStoredAsync();
        var first = await _client.GetAsync($"AuditEvent?subtype=read&patient={id}&_count=10&_total=accurate");
        Assert.Equal(25, (int)first.Json["total"]!);
        var names = (await _client.SearchAllAsync($"AuditEvent?subtype=read&patient={id}&_count=10")).Select(e => NameOf(mark, e)!).ToArray();
        Assert.Equal(Enumerable.Range(0, 25).Reverse().Select(i => $"n{i:00}"), names);
        Assert.Equal(25, (int)(await _client.GetAsync($"AuditEvent?subtype=read&patient={id}&_summary=count")).Json["total"]!);
        Assert.Equal(0, (int)(await _client.GetAsync($"AuditEvent?subtype=read&patient={id}&date=lt2020&_summary=count")).Json["total"]!);
        Assert.Equal(400, (await _client.GetAsync("AuditEvent?_include=AuditEvent:patient")).Status);
        Assert.Equal(400, (await _client.GetAsync("AuditEvent?_sort=action")).Status);
        Assert.Equal(400, (await _client.GetAsync("Patient?_has:AuditEvent:patient:action=R")).Status);
        Assert.Equal(400, (await _client.GetAsync("AuditEvent?_page=nonsense")).Status);
    }

    [Fact]
    public async Task TwoHundredReadsAtOnce_LeaveTwoHundredEvents()
    {
        var mark = Mark();
        var id = Guid.NewGuid().ToString();
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => _client.GetAsync($"Patient/{id}", mark($"{i}"))));
        var events = await EventsAsync(mark, $"patient={id}&_count=100");
        Assert.Equal(200, events.Count);
    }

    [Fact]
    public async Task SearchesOfTheTrail_AreOnRecordThemselves()
    {
        var mark = Mark();
        await _client.GetAsync("AuditEvent?outcome=8&_count=1", mark("audit"));
        Assert.Equal("AuditEvent?outcome=8&_count=1", Query((await EventsAsync(mark, "subtype=search"))["audit"]));
    }

    [Fact]
    public async Task EveryEventOfTheseTests_IsValid_AndTheChainsAreWhole()
    {
        await _client.GetAsync("Patient?name=x");
        await EverythingIsStoredAsync();
        var page = await _client.GetAsync("AuditEvent?_count=1000");
        Assert.NotEmpty(page.Matches);
        foreach (var match in page.Matches)
        {
            Assert.True(ResourceParser.Parse(Encoding.UTF8.GetBytes(match.ToJsonString()), "AuditEvent").TryGet(out _, out var failure), $"{failure} {match}");
        }
        var damages = new List<string>();
        var report = await server.Services.GetRequiredService<ChainVerifier>().RunAsync(damages.Add, default);
        Assert.Empty(damages);
        Assert.True(report.Entries > 1);
    }

    private static Func<string, (string Name, string Value)> Mark()
    {
        var run = Guid.NewGuid().ToString("N");
        return name => ("X-Request-Id", $"{run}.{name}");
    }

    /// <summary>The events of the marked requests by their marks: one of each.</summary>
    private async Task<Dictionary<string, JsonObject>> EventsAsync(Func<string, (string, string Value)> mark, string query) =>
        (await AllAsync(mark, query)).ToDictionary(e => e.Name, e => e.Event);

    private async Task<List<(string Name, JsonObject Event)>> AllAsync(Func<string, (string, string Value)> mark, string query)
    {
        await EverythingIsStoredAsync();
        return [.. (await _client.SearchAllAsync($"AuditEvent?{query}")).Select(e => (NameOf(mark, e)!, e)).Where(e => e.Item1 is not null)];
    }

    /// <summary>A write is answered when its event is stored, and with it all events before it: those of reads do not wait themselves.</summary>
    private async Task EverythingIsStoredAsync() => Assert.Equal(201, (await _client.PostAsync("Patient", """{"resourceType":"Patient"}""")).Status);

    private static string? NameOf(Func<string, (string, string Value)> mark, JsonObject e) => e["entity"]?.AsArray()
        .Select(entity => (string?)entity!["what"]?["identifier"]?["value"]).FirstOrDefault(value => value?.StartsWith(mark("").Value, StringComparison.Ordinal) is true)?[mark("").Value.Length..];

    private static void Check(JsonObject e, string action, string code, string outcome, string? profile, string entity, string patient)
    {
        Assert.Equal((action, code, outcome), ((string?)e["action"], Code(("", e)), (string?)e["outcome"]));
        Assert.Equal("rest", (string?)e["type"]!["code"]);
        Assert.Equal(profile is null ? null : "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit." + profile, (string?)e["meta"]!["profile"]?[0]);
        Assert.Equal([patient], Patients(e));
        Assert.Contains(entity, e["entity"]!.AsArray().Where(x => (string?)x!["role"]?["code"] == "4").Select(x => (string?)x!["what"]!["reference"]));
    }

    private static string Code((string Name, JsonObject Event) e) => (string?)e.Event["subtype"]?[0]?["code"] ?? "none";

    private static (string?, string?, string?) Told(JsonObject e) =>
        ((string?)e["outcome"], (string?)e["outcomeDesc"], (string?)(e["agent"]![0]!["who"]!["identifier"]?["value"] ?? e["agent"]![0]!["who"]!["display"]));

    private static IEnumerable<string> Patients(JsonObject e) =>
        e["entity"]!.AsArray().Where(x => (string?)x!["type"]?["code"] == Person).Select(x => ((string)x!["what"]!["reference"]!)["Patient/".Length..]);

    private static string Query(JsonObject e) =>
        Encoding.UTF8.GetString(Convert.FromBase64String((string)e["entity"]!.AsArray().Single(x => x!["query"] is not null)!["query"]!));
}
