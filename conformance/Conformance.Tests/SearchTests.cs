using System.Net;

namespace Conformance.Tests;

/// <summary>https://hl7.org/fhir/R4/search.html</summary>
public sealed class SearchTests(ServerUnderTest server)
{
    /// <summary>https://hl7.org/fhir/R4/search.html#string, #token, #date, #reference</summary>
    [Fact]
    public async Task Search_ByEachKindOfParameter_FindsTheOne()
    {
        var clinic = await server.OpenClinicAsync();
        string[] queries =
        [
            $"Patient?family=arviz{clinic.Key}", $"Patient?family:exact=Árvíz{clinic.Key}", $"Patient?name=ÁRVÍZ{clinic.Key}",
            $"Patient?identifier=urn:conformance|{clinic.Key}-a", $"Patient?identifier={clinic.Key}-a",
            $"Patient?_id=a-{clinic.Key}", $"Patient?family=arviz{clinic.Key}&birthdate=1980-02-29", $"Patient?family=arviz{clinic.Key}&birthdate=ge1980&gender=female",
            $"Patient?family=nobody,arviz{clinic.Key}", $"Patient?family=arviz{clinic.Key}&gender:not=male&death-date:missing=true",
        ];

        foreach (var query in queries)
        {
            var answer = (await server.GetAsync(query)).Is(HttpStatusCode.OK);
            Assert.True(answer.Ids() is [var id] && id == $"a-{clinic.Key}", $"{query} found {string.Join(", ", answer.Ids())}");
            Assert.Equal("searchset", (string?)answer.Body!["type"]);
        }
        Assert.Empty((await server.GetAsync($"Patient?family:exact=arviz{clinic.Key}")).Is(HttpStatusCode.OK).Ids());
        Assert.Empty((await server.GetAsync($"Patient?family=arviz{clinic.Key}&birthdate=gt1980-02-29")).Is(HttpStatusCode.OK).Ids());
    }

    /// <summary>https://hl7.org/fhir/R4/search.html#chaining and #has</summary>
    [Fact]
    public async Task Search_AcrossReferences_FollowsThem()
    {
        var clinic = await server.OpenClinicAsync();

        Assert.Equal(6, (await server.GetAsync($"Slot?schedule.actor:Practitioner.family=doctor{clinic.Key}&_count=50")).Is(HttpStatusCode.OK).Ids().Count);
        Assert.Equal([$"p-{clinic.Key}"], (await server.GetAsync($"Practitioner?_has:Schedule:actor:_id=s-{clinic.Key}")).Is(HttpStatusCode.OK).Ids());
    }

    /// <summary>https://hl7.org/fhir/R4/search.html#include and #revinclude</summary>
    [Fact]
    public async Task Search_Include_AddsWhatIsReferred()
    {
        var clinic = await server.OpenClinicAsync();
        var slot = (await server.GetAsync($"Slot?_id=t0-{clinic.Key}&_include=Slot:schedule")).Is(HttpStatusCode.OK);
        var schedule = (await server.GetAsync($"Schedule?_id=s-{clinic.Key}&_revinclude=Slot:schedule")).Is(HttpStatusCode.OK);

        Assert.Equal([$"s-{clinic.Key}"], slot.Ids("include"));
        Assert.Equal(6, schedule.Ids("include").Count);
        Assert.Single(schedule.Ids());
    }

    /// <summary>https://hl7.org/fhir/R4/search.html#_sort, #_count, #_total, and http.html#paging</summary>
    [Fact]
    public async Task Search_InPages_GivesEachMatchOnceAndInOrder()
    {
        var clinic = await server.OpenClinicAsync();
        var seen = new List<string>();
        var page = (await server.GetAsync($"Slot?schedule={clinic.Schedule}&_sort=-start&_count=4&_total=accurate")).Is(HttpStatusCode.OK);

        Assert.Equal(6, (int?)page.Body!["total"]);
        Assert.NotNull(page.Link("self"));
        for (var pages = 1; ; pages++)
        {
            seen.AddRange(page.Ids());
            if (page.Link("next") is not { } next)
            {
                Assert.Equal(2, pages);
                break;
            }
            page = (await server.GetAsync(next)).Is(HttpStatusCode.OK);
        }
        Assert.Equal(Enumerable.Range(0, 6).Reverse().Select(i => $"t{i}-{clinic.Key}"), seen);
    }

    [Fact]
    public async Task Search_SummaryCount_CountsOnly()
    {
        var clinic = await server.OpenClinicAsync();
        var answer = (await server.GetAsync($"Slot?schedule={clinic.Schedule}&_summary=count")).Is(HttpStatusCode.OK);

        Assert.Equal(6, (int?)answer.Body!["total"]);
        Assert.Null(answer.Body["entry"]);
    }

    /// <summary>https://hl7.org/fhir/R4/http.html#search: POST is GET.</summary>
    [Fact]
    public async Task Search_ByPost_IsTheSame()
    {
        var clinic = await server.OpenClinicAsync();
        using var form = new FormUrlEncodedContent([new("schedule", clinic.Schedule), new("_sort", "start")]);
        var posted = (await ServerUnderTest.SendAsync(server.Http, HttpMethod.Post, "Slot/_search", form)).Is(HttpStatusCode.OK);

        Assert.Equal((await server.GetAsync($"Slot?schedule={clinic.Schedule}&_sort=start")).Ids(), posted.Ids());
        Assert.Equal(6, posted.Ids().Count);
    }

    /// <summary>https://hl7.org/fhir/R4/search.html#errors</summary>
    [Fact]
    public async Task Search_ByAnUnknownParameter_IsReportedOrRefused()
    {
        var clinic = await server.OpenClinicAsync();
        var lenient = (await server.GetAsync($"Slot?schedule={clinic.Schedule}&colour=blue")).Is(HttpStatusCode.OK);

        Assert.Equal(6, lenient.Ids().Count);
        Assert.Contains(lenient.Entries("outcome"), outcome => outcome.ToJsonString().Contains("colour", StringComparison.Ordinal));
        (await server.GetAsync($"Slot?schedule={clinic.Schedule}&colour=blue", ("Prefer", "handling=strict"))).Refused(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("Patient?birthdate=yesterday")]
    [InlineData("Patient?_count=minus")]
    [InlineData("Patient?family:regex=x")]
    [InlineData("Patient?_sort=nonsense")]
    [InlineData("Patient?_include=Slot")]
    public async Task Search_ThatCannotBeUnderstood_IsRefused(string query) => (await server.GetAsync(query, ("Prefer", "handling=strict"))).Refused(HttpStatusCode.BadRequest);

    [Fact]
    public async Task Search_ForABillion_GivesAPage()
    {
        var answer = (await server.GetAsync("Slot?_count=1000000000")).Is(HttpStatusCode.OK);

        Assert.True(answer.Ids().Count <= 10_000);
    }
}
