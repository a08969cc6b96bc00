using System.Text.Json.Nodes;
using Authorization.Access;

namespace FhirServer.Tests.Access;

/// <summary>Ways around a decision that asks about types only: each must tell of another patient what an empty server would.</summary>
public sealed class AccessLeakTests(ServerFixture server) : IAsyncLifetime
{
    private AccessHouse _house = null!;
    private FhirClient _patient = null!;

    public async ValueTask InitializeAsync()
    {
        _house = await AccessHouse.OpenAsync(server);
        _patient = await _house.SignInAsync("patient/*.cruds", $"Patient/{_house.Own}", _house.Own, new HeldRole(Role.Patient));
    }

    public ValueTask DisposeAsync()
    {
        _patient.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task<FhirClient> StaffAsync(string scope, Role role, string? organization = null) =>
        _house.SignInAsync(scope, $"Practitioner/{_house.Run}-dr", null, new HeldRole(role, organization));

    [Fact]
    public async Task Chains_GoThroughWhatTheCallerMayFindOnly()
    {
        using var practitioner = await StaffAsync("user/*.rs", Role.Practitioner, _house.OrganizationA);

        Assert.Equal(3, (await practitioner.GetAsync($"Observation?subject:Patient.identifier=urn:access|{_house.Run}-1")).Matches.Count);
        // The Observations of the other one are within reach, the Patient by whom they would be singled out is not.
        Assert.Empty((await practitioner.GetAsync($"Observation?subject:Patient.identifier=urn:access|{_house.Run}-2")).Matches);
        Assert.Empty((await _patient.GetAsync($"Appointment?actor:Patient.name={_house.Run}other")).Matches);
        Assert.Single((await _patient.GetAsync($"Appointment?actor:Patient.name={_house.Run}own")).Matches);
    }

    [Fact]
    public async Task Has_CountsWhatTheCallerMayFindOnly()
    {
        using var app = await StaffAsync($"user/Patient.rs user/Observation.rs?category={AccessHouse.Category}|laboratory", Role.Practitioner);

        Assert.Single((await app.GetAsync($"Patient?_id={_house.Own}&_has:Observation:subject:category=laboratory")).Matches);
        Assert.Empty((await app.GetAsync($"Patient?_id={_house.Own}&_has:Observation:subject:category=vital-signs")).Matches);
        using var receptionist = await StaffAsync("user/*.rs", Role.Receptionist);
        Assert.Equal(403, (await receptionist.GetAsync($"Patient?_id={_house.Own}&_has:Observation:subject:category=laboratory")).Status);
    }

    [Fact]
    public async Task Includes_BringWhatTheCallerMayReadOnly()
    {
        var both = await _house.Admin.PostAsync("Appointment", $$"""
            {"resourceType":"Appointment","status":"proposed","participant":[{"actor":{"reference":"Patient/{{_house.Own}}"},"status":"accepted"},
             {"actor":{"reference":"Patient/{{_house.Other}}"},"status":"accepted"},{"actor":{"reference":"Location/{{_house.Run}}-la"},"status":"accepted"}]}
            """);
        var found = await _patient.GetAsync($"Appointment?_id={both.Id}&_include=Appointment:actor");
        Assert.Equal([$"Location/{_house.Run}-la", $"Patient/{_house.Own}"], Included(found));

        using var app = await StaffAsync($"user/Patient.rs user/Observation.rs?category={AccessHouse.Category}|laboratory", Role.Practitioner);
        Assert.Equal(
            [$"Observation/{_house.Run}-lab-p1", $"Observation/{_house.Run}-lab-r-p1"], // neither the other category nor what is very restricted
            Included(await app.GetAsync($"Patient?_id={_house.Own}&_revinclude=Observation:subject")));
        using var practitioner = await StaffAsync("user/*.rs", Role.Practitioner, _house.OrganizationA);
        Assert.DoesNotContain(Included(await practitioner.GetAsync($"Organization?_id={_house.OrganizationB}&_revinclude=Patient:organization")), key => key.StartsWith("Patient/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Includes_AreNotFollowedThroughWhatIsHidden()
    {
        using var practitioner = await StaffAsync("user/*.rs", Role.Practitioner, _house.OrganizationA);
        var found = await practitioner.GetAsync($"Observation?_id={_house.Run}-lab-p2&_include=Observation:subject&_include:iterate=Patient:organization");

        Assert.Single(found.Matches);
        Assert.Empty(Included(found));
    }

    [Fact]
    public async Task ConditionalCreate_ByAnIdentifierOfSomebodyHidden_FindsNobody()
    {
        using var receptionist = await StaffAsync("user/*.cruds", Role.Receptionist, _house.OrganizationB);
        var body = $$"""{"resourceType":"Patient","identifier":[{"system":"urn:access","value":"{{_house.Run}}-1"}],"managingOrganization":{"reference":"Organization/{{_house.OrganizationB}}"} }""";
        var created = await receptionist.PostAsync("Patient", body, ("If-None-Exist", $"identifier=urn:access|{_house.Run}-1"));

        Assert.Equal(201, created.Status);
        Assert.NotEqual(_house.Own, created.Id);
        var own = await _house.Admin.GetAsync($"Patient/{_house.Own}");
        Assert.Equal(201, (await receptionist.PutAsync($"Patient?identifier=urn:access|{_house.Run}-3", body)).Status);
        Assert.Equal(204, (await _house.Admin.DeleteAsync($"Patient/{created.Id}")).Status);
        Assert.Equal(own.ETag, (await _house.Admin.GetAsync($"Patient/{_house.Own}")).ETag);
    }

    [Fact]
    public async Task ConditionalUpdateAndDelete_OfSomebodyHidden_ChangeNothing()
    {
        using var manager = await StaffAsync("user/*.cruds", Role.Receptionist, _house.OrganizationB);
        var before = await _house.Admin.GetAsync($"Patient/{_house.Own}");
        var put = await manager.PutAsync($"Patient?identifier=urn:access|{_house.Run}-1", _house["p1"].Body.ToJsonString());

        Assert.Equal(403, put.Status);
        Assert.Equal(403, (await manager.DeleteAsync($"Patient?identifier=urn:access|{_house.Run}-1")).Status);
        Assert.Equal(before.ETag, (await _house.Admin.GetAsync($"Patient/{_house.Own}")).ETag);
    }

    [Fact]
    public async Task PageLink_OfAnotherCaller_IsRefused()
    {
        using var practitioner = await StaffAsync("user/*.rs", Role.Practitioner);
        var next = (await practitioner.GetAsync($"Observation?_tag=urn:run|{_house.Run}&_count=1&_total=accurate")).Link("next")!;

        Assert.Equal(200, (await practitioner.GetAsync(next)).Status);
        var stolen = await _patient.GetAsync(next);
        Assert.Equal(400, stolen.Status);
        var madeUp = await _patient.GetAsync(next[..^4] + "AAAA");
        Assert.Equal(madeUp.Text, stolen.Text);
        var all = await _patient.SearchAllAsync($"Observation?_tag=urn:run|{_house.Run}&_count=1");
        Assert.Equal(4, all.Count);
    }

    [Fact]
    public async Task Versions_OfSomebodyHidden_CannotBeProbed()
    {
        var hidden = _house["appt-p2"];
        var nobody = hidden.Body.DeepClone().AsObject();
        nobody["id"] = "nobody-has-this-id";
        foreach (var version in (string[])["W/\"1\"", "W/\"99\""])
        {
            var known = await _patient.PutAsync(hidden.Key, hidden.Body.ToJsonString(), ("If-Match", version));
            var unknown = await _patient.PutAsync("Appointment/nobody-has-this-id", nobody.ToJsonString(), ("If-Match", version));
            Assert.Equal((403, known.Text), (unknown.Status, unknown.Text));
            Assert.Equal(known.Status, unknown.Status);
        }
        Assert.Equal(404, (await _patient.GetAsync(hidden.Key, ("If-None-Match", "W/\"1\""))).Status);
        Assert.Equal(404, (await _patient.GetAsync(hidden.Key, ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"))).Status);
        Assert.Equal(404, (await _patient.GetAsync($"{hidden.Key}/_history/99")).Status);
    }

    [Fact]
    public async Task Deletions_AreToldToWhoSawWhatWasDeleted()
    {
        foreach (var name in (string[])["appt-p1", "appt-p2"])
        {
            Assert.Equal(204, (await _house.Admin.DeleteAsync(_house[name].Key)).Status);
        }
        Assert.Equal(410, (await _patient.GetAsync(_house["appt-p1"].Key)).Status);
        Assert.Equal(404, (await _patient.GetAsync(_house["appt-p2"].Key)).Status);
        Assert.Equal(404, (await _patient.GetAsync($"{_house["appt-p2"].Key}/_history/2")).Status);
        Assert.Equal(404, (await _patient.GetAsync($"{_house["appt-p2"].Key}/_history")).Status);
        Assert.Equal(2, (await _patient.GetAsync($"{_house["appt-p1"].Key}/_history")).Entries.Count);
    }

    [Fact]
    public async Task History_JudgesEachVersionByItsOwnContent()
    {
        var moved = (await _house.Admin.PostAsync("RelatedPerson", Related(_house.Own))).Id!;
        var body = JsonNode.Parse(Related(_house.Other))!.AsObject();
        body["id"] = moved;
        Assert.Equal(200, (await _house.Admin.PutAsync($"RelatedPerson/{moved}", body.ToJsonString())).Status);

        Assert.Equal(404, (await _patient.GetAsync($"RelatedPerson/{moved}")).Status);
        Assert.Equal(200, (await _patient.GetAsync($"RelatedPerson/{moved}/_history/1")).Status);
        Assert.Equal(404, (await _patient.GetAsync($"RelatedPerson/{moved}/_history/2")).Status);
        Assert.Single((await _patient.GetAsync($"RelatedPerson/{moved}/_history")).Entries);
    }

    [Fact]
    public async Task HistoryOfAType_HasFullPagesOfWhatIsWithinReach()
    {
        for (var i = 0; i < 12; i++)
        {
            Assert.Equal(201, (await _house.Admin.PostAsync("RelatedPerson", Related(i % 4 == 0 ? _house.Own : _house.Other))).Status);
        }
        var pages = new List<int>();
        for (var next = "RelatedPerson/_history?_count=2"; next is not null;)
        {
            var page = await _patient.GetAsync(next);
            Assert.True(page.Status == 200, page.Text);
            Assert.All(page.Entries, entry => Assert.Equal($"Patient/{_house.Own}", (string?)entry["resource"]!["patient"]!["reference"]));
            pages.Add(page.Entries.Count);
            next = page.Link("next");
        }
        Assert.Equal(4, pages.Sum()); // three of the loop, one of the house
        Assert.All(pages.SkipLast(1), count => Assert.Equal(2, count));
    }

    [Fact]
    public async Task ConditionalReference_ToSomebodyHidden_MatchesNothing()
    {
        var answers = new List<Answer>();
        foreach (var value in (string[])[$"{_house.Run}-2", $"{_house.Run}-nobody"])
        {
            answers.Add(await _patient.PostAsync("", $$"""
                {"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:8c5f7c0e-3f6d-4b43-9a55-7d8b0a3a1f01","request":{"method":"POST","url":"Appointment"},"resource":{"resourceType":"Appointment","status":"proposed","participant":[
                 {"actor":{"reference":"Patient/{{_house.Own}}"},"status":"accepted"},{"actor":{"reference":"Patient?identifier=urn:access|{{value}}"},"status":"needs-action"}]} }]}
                """));
        }
        Assert.Equal((412, answers[0].Text), (answers[1].Status, answers[1].Text));
        Assert.Equal(412, answers[0].Status);
    }

    [Fact]
    public async Task PatientOfBooking_ByIdentifierOrReferenceOfSomebodyHidden_IsNobody()
    {
        var answers = new List<string>();
        foreach (var value in (string[])[$"{_house.Run}-2", $"{_house.Run}-nobody"])
        {
            var answer = await _patient.PostAsync("Appointment/$book", $$"""
                {"resourceType":"Parameters","parameter":[{"name":"appt-resource","resource":{"resourceType":"Appointment","status":"proposed","start":"2040-01-02T09:00:00Z","end":"2040-01-02T09:30:00Z",
                 "slot":[{"reference":"{{_house["slot"].Key}}"}],"participant":[{"actor":{"reference":"Patient/{{_house.Own}}"},"status":"accepted"}]} },
                 {"name":"patient-resource","resource":{"resourceType":"Patient","identifier":[{"system":"urn:access","value":"{{value}}"}]} }]}
                """);
            Assert.True(answer.Status is 422, answer.Text);
            answers.Add(answer.Text);
        }
        Assert.Equal(answers[0], answers[1]);
        Assert.Equal("free", (string?)(await _house.Admin.GetAsync(_house["slot"].Key)).Json["status"]);
    }

    [Fact]
    public async Task IdempotencyKey_OfAnotherUserOfTheSameApp_IsAnotherKey()
    {
        using var other = await _house.SignInAsync("patient/*.cruds", $"Patient/{_house.Other}", _house.Other, new HeldRole(Role.Patient));
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        string Proposal(string patient) => $$"""
            {"resourceType":"Appointment","status":"proposed","start":"2040-01-02T09:00:00Z","end":"2040-01-02T09:30:00Z","slot":[{"reference":"{{_house["slot"].Key}}"}],
             "participant":[{"actor":{"reference":"Patient/{{patient}}"},"status":"accepted"}]}
            """;
        var booked = await _patient.PostAsync("Appointment/$book", Proposal(_house.Own), key);
        Assert.True(booked.Status == 201, booked.Text);
        Assert.Equal(409, (await other.PostAsync("Appointment/$book", Proposal(_house.Other), key)).Status); // the slot is taken, no more is told
        Assert.Equal(404, (await other.PostAsync($"Appointment/{booked.Id}/$cancel", """{"resourceType":"Parameters"}""")).Status);
        Assert.Equal(200, (await _patient.PostAsync($"Appointment/{booked.Id}/$cancel", """{"resourceType":"Parameters"}""")).Status);
    }

    [Theory] // S06
    [InlineData("arrived")]
    [InlineData("checked-in")]
    [InlineData("fulfilled")]
    [InlineData("noshow")]
    public async Task Patient_DoesNotSayWhatTheDeskSays(string status)
    {
        var visit = _house["appt-p1"].Body.DeepClone().AsObject();
        visit["status"] = status;
        visit["start"] = "2040-01-02T09:00:00Z";
        visit["end"] = "2040-01-02T09:30:00Z";
        var answer = await _patient.PutAsync(_house["appt-p1"].Key, visit.ToJsonString());

        Assert.Equal(403, answer.Status);
        Assert.Equal("Appointment.status", (string?)answer.Issues[0]["expression"]![0]);
        Assert.Equal("proposed", (string?)(await _house.Admin.GetAsync(_house["appt-p1"].Key)).Json["status"]);
    }

    [Fact] // S06
    public async Task Patient_DoesNotSpeakForOthers_NorWriteIntoTheirRecord()
    {
        var key = _house["appt-p1"].Key;
        var before = await _house.Admin.GetAsync(key);
        var answers = _house["appt-p1"].Body.DeepClone().AsObject();
        answers["participant"]![1]!["status"] = "accepted";
        Assert.Equal(403, (await _patient.PutAsync(key, answers.ToJsonString())).Status);

        var invites = _house["appt-p1"].Body.DeepClone().AsObject();
        invites["participant"]!.AsArray().Add(JsonNode.Parse($$"""{"actor":{"reference":"Patient/{{_house.Other}}"},"status":"needs-action"}"""));
        Assert.Equal(403, (await _patient.PutAsync(key, invites.ToJsonString())).Status);

        var leaves = _house["appt-p1"].Body.DeepClone().AsObject();
        leaves["participant"]!.AsArray().RemoveAt(0);
        Assert.Equal(403, (await _patient.PutAsync(key, leaves.ToJsonString())).Status);

        var form = $$"""{"resourceType":"QuestionnaireResponse","status":"completed","subject":{"reference":"Patient/{{_house.Other}}"},"author":{"reference":"Patient/{{_house.Own}}"} }""";
        Assert.Equal(403, (await _patient.PostAsync("QuestionnaireResponse", form)).Status);
        Assert.Equal(before.ETag, (await _house.Admin.GetAsync(key)).ETag);

        var own = _house["appt-p1"].Body.DeepClone().AsObject();
        own["participant"]![0]!["status"] = "declined";
        own["meta"]!["versionId"] = "77";
        var put = await _patient.PutAsync(key, own.ToJsonString());
        Assert.Equal((200, "2"), (put.Status, (string?)put.Json["meta"]!["versionId"]));
    }

    private static string Related(string patient) => $$"""{"resourceType":"RelatedPerson","patient":{"reference":"Patient/{{patient}}"} }""";

    private static List<string> Included(Answer answer)
    {
        Assert.True(answer.Status == 200, answer.Text);
        return [.. answer.Entries.Where(entry => (string?)entry["search"]!["mode"] == "include").Select(entry => $"{entry["resource"]!["resourceType"]}/{entry["resource"]!["id"]}").Order(StringComparer.Ordinal)];
    }
}
