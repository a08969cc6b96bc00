using CsCheck;
using FhirCore;
using FhirStore.Search;

namespace FhirStore.Tests.Search;

public sealed class SearchPagingTests
{
    [Theory]
    [InlineData("Patient?")]
    [InlineData("Patient?gender=male")]
    [InlineData("Patient?_sort=-_id")]
    [InlineData("Patient?_sort=_lastUpdated")]
    [InlineData("Patient?_sort=-_lastUpdated,-_id")]
    [InlineData("Patient?_sort=family,-birthdate")]
    [InlineData("Patient?_sort=-birthdate")]
    [InlineData("Patient?identifier=http://h.example|same")]
    public async Task Pages_AddUpToOne_WhateverTheirSize(string query)
    {
        using var house = await ClinicAsync(23);
        var whole = await house.IdsAsync(query + "&_count=1000");
        Assert.NotEmpty(whole);
        foreach (var count in new[] { 1, 4, 11, 12, 23 })
        {
            Assert.Equal(whole, await house.IdsAsync($"{query}&_count={count}"));
        }
    }

    [Theory]
    [InlineData("Patient?_count=5")]
    [InlineData("Patient?gender=male&_count=3")]
    [InlineData("Patient?_sort=_lastUpdated&_count=5")]
    [InlineData("Patient?_sort=family&_count=5")]
    public async Task WhileOthersWrite_NothingThatStaysIsLostOrRepeated(string query)
    {
        using var house = await ClinicAsync(20);
        var page = await house.FindAsync(query);
        var seen = page.Matches.Select(m => m.Key.Id).ToList();
        var staying = (await house.IdsAsync(query.Split("&_count")[0].Replace("_count=5", "_count=1000", StringComparison.Ordinal))).ToHashSet();
        var round = 0;
        while (page.Next is { } next)
        {
            await house.PutAsync(Patient($"n{round}", round)); // after all others by id
            await house.PutAsync(Patient($"a{round}", round)); // before all others by id
            var gone = seen[^1];
            await house.DeleteAsync("Patient", gone); // the very record the page ended at
            page = await house.FindAsync("Patient", next);
            seen.AddRange(page.Matches.Select(m => m.Key.Id));
            Assert.InRange(++round, 1, 40);
        }
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Empty(staying.Except(seen));
    }

    [Fact]
    public async Task NextLink_HoldsNothingThatCanBeRead_AndNothingThatCanBeChanged()
    {
        using var house = await ClinicAsync(5);
        var next = (await house.FindAsync("Patient?name=secretname,family&_count=2")).Next!;
        Assert.DoesNotContain("secretname", next, StringComparison.OrdinalIgnoreCase);
        var altered = (next[0] == 'A' ? 'B' : 'A') + next[1..];
        foreach (var (type, page) in new[] { ("Patient", altered), ("Patient", ""), ("Patient", "x"), ("Practitioner", next) })
        {
            var failure = (await house.TryAsync(type, page)).Failure;
            Assert.Equal(400, failure!.Status);
        }
    }

    [Fact]
    public async Task Total_IsTheNumberOfMatches_WhereAskedFor_OrFree()
    {
        using var house = await ClinicAsync(20);
        Assert.Equal(10, (await house.FindAsync("Patient?gender=male&_count=3&_total=accurate")).Total);
        Assert.Equal(20, (await house.FindAsync("Patient?_count=3&_total=accurate")).Total);
        Assert.Null((await house.FindAsync("Patient?_count=3")).Total);
        Assert.Equal(20, (await house.FindAsync("Patient")).Total);
        Assert.Null((await house.FindAsync("Patient?_total=none")).Total);
        var first = await house.FindAsync("Patient?gender=male&_count=3&_total=accurate");
        Assert.Equal(10, (await house.FindAsync("Patient", first.Next)).Total);
    }

    [Theory]
    [InlineData("Patient?_summary=count&gender=male", 10)]
    [InlineData("Patient?_count=0", 20)]
    [InlineData("Patient?_count=0&gender=unknown", 0)]
    public async Task CountOnly(string query, long total)
    {
        using var house = await ClinicAsync(20);
        var page = await house.FindAsync(query);
        Assert.True(page.CountOnly);
        Assert.Equal((total, 0), (page.Total, page.Matches.Length));
    }

    [Theory]
    [InlineData("_count=-1", "_count")]
    [InlineData("_count=x", "_count")]
    [InlineData("_total=maybe", "_total")]
    [InlineData("_summary=true", "_summary=true")]
    [InlineData("_elements=id", "_elements")]
    [InlineData("_filter=name eq x", "_filter")]
    [InlineData("_text=x", "_text")]
    [InlineData("_content=x", "_content")]
    [InlineData("_list=x", "_list")]
    [InlineData("_query=x", "_query")]
    [InlineData("name:text=x", ":text")]
    [InlineData("gender:in=http://x.example", ":in")]
    [InlineData("birthdate:exact=1990", ":exact")]
    [InlineData("birthdate=1990-00", "birthdate")]
    [InlineData("birthdate=xx1990", "birthdate")]
    [InlineData("name:missing=maybe", "name:missing")]
    [InlineData("identifier=|", "identifier")]
    [InlineData("general-practitioner:Practitioner=Organization/1", "general-practitioner")]
    [InlineData("general-practitioner:Frob=1", "Frob")]
    [InlineData("_sort=organization.name", "organization.name")]
    [InlineData("_include=Patient", "_include")]
    [InlineData("_include=Patient:name", "_include")]
    [InlineData("_revinclude=*", "_revinclude")]
    public async Task WhatCannotBeDone_IsRefusedByName(string query, string name)
    {
        using var house = await ClinicAsync(1);
        var failure = (await house.TryAsync("Patient?" + query)).Failure;
        Assert.NotNull(failure);
        Assert.Equal(FailureKind.Invalid, failure.Kind);
        Assert.Contains(name, failure.Issues[0].Diagnostics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusals_DoNotRepeatTheValue()
    {
        using var house = await ClinicAsync(1);
        var failure = (await house.TryAsync("Patient?birthdate=4711-is-secret")).Failure!;
        Assert.DoesNotContain("4711", failure.Issues[0].Diagnostics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Near_IsRefusedByName()
    {
        using var house = await ClinicAsync(1);
        Assert.Equal("not-supported", (await house.TryAsync("Location?near=1|2")).Failure!.Issues[0].Code);
    }

    [Theory]
    [InlineData("Patient?frobnicate=1")]
    [InlineData("Patient?name=")]
    [InlineData("Patient?frob.name=1")]
    [InlineData("Patient?_sort=frob")]
    public async Task WhatIsUnknown_IsToldAndIgnored_OrRefusedWhereStrict(string query)
    {
        using var house = await ClinicAsync(3);
        var page = await house.FindAsync(query);
        Assert.Equal(3, page.Matches.Length);
        Assert.Single(page.Notes);
        Assert.Equal(400, (await house.TryAsync(query, strict: true)).Failure!.Status);
    }

    [Fact]
    public async Task AHugeCount_IsCut_AndTold()
    {
        using var house = await ClinicAsync(3);
        var page = await house.FindAsync("Patient?_count=100000000000000000000");
        Assert.Equal(3, page.Matches.Length);
        Assert.Single(page.Notes);
    }

    [Fact]
    public async Task TooMuchWork_IsRefused_AndSaysWhatToAdd()
    {
        using var house = await SearchHouse.OpenAsync(new() { CandidateBudget = 10, MaxIntermediate = 10 });
        for (var i = 0; i < 12; i++)
        {
            await house.PutAsync(Patient($"p{i:00}", i));
        }
        foreach (var query in new[] { "Patient?gender=unknown", "Patient?_sort=family", "Patient?gender=male&_total=accurate" })
        {
            var failure = (await house.TryAsync(query)).Failure!;
            Assert.Equal("too-costly", failure.Issues[0].Code);
            Assert.Contains("identifier", failure.Issues[0].Diagnostics, StringComparison.Ordinal);
        }
        Assert.Equal(12, (await house.FindAsync("Patient?_count=20")).Matches.Length);
    }

    [Fact]
    public async Task Sort_ByManyKeys_IsTheOrderOfThePlainComparison() => await Gen.Select(Gen.Int[0, 3].Array[1, 14], Gen.Int[0, 3].Array[14], Gen.Bool, Gen.Bool).SampleAsync(async (families, births, downFamily, downBirth) =>
    {
        using var house = await SearchHouse.OpenAsync();
        var rows = families.Select((f, i) => (Id: $"p{i:00}", Family: f, Birth: births[i])).ToArray();
        foreach (var row in rows)
        {
            var family = row.Family == 0 ? "" : $$""","name":[{"family":"F{{row.Family}}"}]""";
            var birth = row.Birth == 0 ? "" : $$""","birthDate":"199{{row.Birth}}" """;
            await house.PutAsync($$"""{"resourceType":"Patient","id":"{{row.Id}}"{{family}}{{birth}}}""");
        }
        var expected = rows
            .OrderBy(r => r.Family == 0).ThenBy(r => downFamily ? -r.Family : r.Family)
            .ThenBy(r => r.Birth == 0).ThenBy(r => downBirth ? -r.Birth : r.Birth)
            .ThenBy(r => r.Id, StringComparer.Ordinal).Select(r => r.Id);
        Assert.Equal(expected, await house.IdsAsync($"Patient?_sort={(downFamily ? "-" : "")}family,{(downBirth ? "-" : "")}birthdate&_count=3"));
    }, iter: 20, threads: 1);

    private static async Task<SearchHouse> ClinicAsync(int patients)
    {
        var house = await SearchHouse.OpenAsync();
        for (var i = 0; i < patients; i++)
        {
            await house.PutAsync(Patient($"p{i:000}", i));
        }
        return house;
    }

    private static string Patient(string id, int i) => $$"""
        {"resourceType":"Patient","id":"{{id}}","identifier":[{"system":"http://h.example","value":"same"}],"gender":"{{(i % 2 == 0 ? "male" : "female")}}",
         "name":[{"family":"Family{{i % 4}}"}],"birthDate":"19{{50 + (i * 7 % 40)}}-01-0{{1 + (i % 9)}}"}
        """;
}
