using FhirCore.Records;

namespace FhirStore.Tests.Search;

public sealed class CriteriaMatchTests
{
    [Theory]
    [InlineData("identifier=http://h.example|1", 1)]
    [InlineData("identifier=http://h.example|9", 0)]
    [InlineData("family=same", 2)]
    [InlineData("family=same&birthdate=1991", 1)]
    [InlineData("gender=male", 2)]
    public async Task Match_GivesNoneOneOrTwo(string criteria, int matches)
    {
        using var house = await HouseAsync();
        var found = (await house.Search.MatchAsync("Patient", SearchHouse.Parse("Patient?" + criteria).Parameters, null, default)).Value;
        Assert.Equal(matches, found.Matches.Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("_count=1")]
    [InlineData("identifier=x&_sort=name")]
    [InlineData("_include=Patient:organization")]
    [InlineData("identifier=")]
    [InlineData("frob=1")]
    public async Task Match_WhatIsNoCriterion_IsRefused(string criteria)
    {
        using var house = await HouseAsync();
        Assert.Equal(400, (await house.Search.MatchAsync("Patient", SearchHouse.Parse("Patient?" + criteria).Parameters, null, default)).Failure!.Status);
    }

    [Theory]
    [InlineData("identifier=http://h.example|7", """{"resourceType":"Patient","id":"rival","identifier":[{"system":"http://h.example","value":"7"}]}""")]
    [InlineData("family=smithson", """{"resourceType":"Patient","id":"rival","name":[{"family":"Smithson"}]}""")]
    [InlineData("gender=female", """{"resourceType":"Patient","id":"rival","gender":"female"}""")]
    public async Task NoOther_HoldsUntilSomeoneElseWritesAMatch(string criteria, string rival)
    {
        using var house = await HouseAsync();
        await house.PutAsync("""{"resourceType":"Patient","id":"near","name":[{"family":"Smith"}],"identifier":[{"system":"http://other.example","value":"7"}]}""");
        var found = (await house.Search.MatchAsync("Patient", SearchHouse.Parse("Patient?" + criteria).Parameters, null, default)).Value;
        Assert.Empty(found.Matches);
        Assert.IsType<CommitResult.Done>(await house.Store.CommitAsync(new([], [found.NoOther], []), default));
        await house.PutAsync(rival);
        Assert.IsType<CommitResult.MatchFound>(await house.Store.CommitAsync(new([], [found.NoOther], []), default));
    }

    [Fact]
    public async Task NoOther_IsNotDisturbedByTheMatchItself()
    {
        using var house = await HouseAsync();
        var found = (await house.Search.MatchAsync("Patient", SearchHouse.Parse("Patient?identifier=1").Parameters, null, default)).Value;
        Assert.Single(found.Matches);
        Assert.IsType<CommitResult.Done>(await house.Store.CommitAsync(new([], [found.NoOther], []), default));
    }

    [Fact]
    public async Task Match_ThatWouldLookAtTooMany_IsRefused()
    {
        using var house = await SearchHouse.OpenAsync(new() { MaxCriteriaCandidates = 3 });
        for (var i = 0; i < 5; i++)
        {
            await house.PutAsync($$"""{"resourceType":"Patient","id":"p{{i}}","gender":"male"}""");
        }
        var failure = (await house.Search.MatchAsync("Patient", SearchHouse.Parse("Patient?gender=female").Parameters, null, default)).Failure!;
        Assert.Equal("too-costly", failure.Issues[0].Code);
    }

    private static async Task<SearchHouse> HouseAsync()
    {
        var house = await SearchHouse.OpenAsync();
        await house.PutAsync(
            """{"resourceType":"Patient","id":"a","gender":"male","birthDate":"1990","name":[{"family":"Same"}],"identifier":[{"system":"http://h.example","value":"1"}]}""",
            """{"resourceType":"Patient","id":"b","gender":"male","birthDate":"1991","name":[{"family":"Same"}],"identifier":[{"system":"http://h.example","value":"2"}]}""");
        return house;
    }
}
