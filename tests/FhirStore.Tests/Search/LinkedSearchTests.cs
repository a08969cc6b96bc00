using FhirStore.Search;

namespace FhirStore.Tests.Search;

/// <summary>Chains, <c>_has</c>, includes: searches that look at more than one resource.</summary>
public sealed class LinkedSearchTests
{
    private static readonly string[] Clinic =
    [
        """{"resourceType":"Organization","id":"o1","name":"North"}""",
        """{"resourceType":"Organization","id":"o2","name":"North wing","partOf":{"reference":"Organization/o1"}}""",
        """{"resourceType":"Practitioner","id":"d1","name":[{"family":"Abel"}]}""",
        """{"resourceType":"Patient","id":"p1","name":[{"family":"Abel"}],"managingOrganization":{"reference":"Organization/o2"},"generalPractitioner":[{"reference":"Practitioner/d1"}]}""",
        """{"resourceType":"Patient","id":"p2","name":[{"family":"Zorn"}],"managingOrganization":{"reference":"Organization/o1"},"generalPractitioner":[{"reference":"Organization/gone"}]}""",
        """{"resourceType":"Encounter","id":"e1","status":"finished","subject":{"reference":"Patient/p1"}}""",
        """{"resourceType":"Observation","id":"b1","subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},"code":{"coding":[{"code":"w"}]},"performer":[{"reference":"Practitioner/d1"}]}""",
        """{"resourceType":"Observation","id":"b2","subject":{"reference":"Patient/p2/_history/1"},"code":{"coding":[{"code":"w"},{"code":"x"}]}}""",
    ];

    [Theory]
    [InlineData("Observation?subject:Patient.name=abel", "b1")]
    [InlineData("Observation?patient.name=abel", "b1")]
    [InlineData("Observation?subject.name=abel", "b1")]
    [InlineData("Observation?patient.organization.name=north", "b1", "b2")]
    [InlineData("Observation?patient.organization.partof.name=north", "b1")]
    [InlineData("Observation?patient.organization.name:exact=North", "b2")]
    [InlineData("Observation?patient.general-practitioner.name=abel", "b1")]
    [InlineData("Observation?patient.name=abel,zorn", "b1", "b2")]
    [InlineData("Observation?patient._id=p2", "b2")]
    [InlineData("Observation?patient.name=nobody")]
    [InlineData("Patient?_has:Observation:patient:code=w", "p1", "p2")]
    [InlineData("Patient?_has:Observation:patient:code=x", "p2")]
    [InlineData("Patient?_has:Observation:patient:code=w&_has:Encounter:patient:status=finished", "p1")]
    [InlineData("Patient?_has:Observation:subject:encounter.status=finished", "p1")]
    [InlineData("Organization?_has:Patient:organization:_has:Observation:patient:code=x", "o1")]
    [InlineData("Observation?patient._has:Encounter:patient:status=finished", "b1")]
    [InlineData("Organization?_has:Organization:partof:name=north", "o1")]
    public async Task ChainsAndHas(string query, params string[] ids)
    {
        using var house = await HouseAsync();
        Assert.Equal(ids, await house.IdsAsync(query));
    }

    [Theory]
    [InlineData("Observation?patient.frob=1", "frob")]
    [InlineData("Observation?code.name=1", "no reference")]
    [InlineData("Observation?patient:Frob.name=1", "Frob")]
    [InlineData("Patient?_has:Observation:patient=1", "_has:Type")]
    [InlineData("Patient?_has:Frob:patient:code=1", "Frob")]
    [InlineData("Patient?_has:Observation:code:code=1", "reference parameter")]
    [InlineData("Location?_has:Patient:organization:name=1", "never refers")]
    [InlineData("Observation?patient.birthdate=tomorrow", "birthdate")]
    public async Task BadLinks_AreRefused_WithTheirReason(string query, string told)
    {
        using var house = await HouseAsync();
        var failure = (await house.TryAsync(query)).Failure;
        Assert.Equal(400, failure!.Status);
        Assert.Contains(told, failure.Issues[0].Diagnostics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Observation?_id=b1&_include=Observation:subject", "Patient/p1")]
    [InlineData("Observation?_id=b1&_include=Observation:subject:Group")]
    [InlineData("Observation?_id=b2&_include=Observation:patient", "Patient/p2")]
    [InlineData("Observation?_id=b1&_include=Observation:patient&_include=Observation:subject", "Patient/p1")]
    [InlineData("Observation?_id=b1&_include=*", "Encounter/e1", "Patient/p1", "Practitioner/d1")]
    [InlineData("Observation?_id=b1&_include=Observation:patient&_include:iterate=Patient:organization&_include:iterate=Organization:partof", "Organization/o1", "Organization/o2", "Patient/p1")]
    [InlineData("Observation?_id=b1&_include=Observation:patient&_include=Patient:organization", "Patient/p1")]
    [InlineData("Patient?_id=p1&_revinclude=Observation:subject", "Observation/b1")]
    [InlineData("Patient?_revinclude=Observation:patient&_revinclude=Encounter:patient", "Encounter/e1", "Observation/b1", "Observation/b2")]
    [InlineData("Patient?_id=p2&_include=Patient:general-practitioner")]
    [InlineData("Organization?_include=Organization:partof")]
    public async Task Includes(string query, params string[] keys)
    {
        using var house = await HouseAsync();
        var page = await house.FindAsync(query);
        Assert.Equal(keys, page.Included.Select(i => i.Key.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Includes_BeyondTheirLimit_AreCut_AndTold()
    {
        using var house = await SearchHouse.OpenAsync(new() { MaxIncluded = 2 });
        await house.PutAsync(Clinic);
        var page = await house.FindAsync("Patient?_revinclude=Observation:patient&_revinclude=Encounter:patient");
        Assert.Equal(2, page.Included.Length);
        Assert.Contains(page.Notes, n => n.Code == "incomplete");
    }

    [Fact]
    public async Task ADeletedTarget_IsNoLongerFoundThrough()
    {
        using var house = await HouseAsync();
        await house.DeleteAsync("Patient", "p1");
        Assert.Empty(await house.IdsAsync("Observation?patient.name=abel"));
        Assert.Empty((await house.FindAsync("Observation?_id=b1&_include=Observation:patient")).Included);
    }

    [Fact]
    public async Task AChainThatFindsTooMuch_IsRefused()
    {
        using var house = await SearchHouse.OpenAsync(new() { MaxIntermediate = 1 });
        await house.PutAsync(Clinic);
        var failure = (await house.TryAsync("Observation?patient.name=abel,zorn")).Failure!;
        Assert.Equal("too-costly", failure.Issues[0].Code);
        Assert.Single(await house.IdsAsync("Observation?patient.name=abel"));
    }

    private static async Task<SearchHouse> HouseAsync()
    {
        var house = await SearchHouse.OpenAsync();
        await house.PutAsync(Clinic);
        return house;
    }
}
