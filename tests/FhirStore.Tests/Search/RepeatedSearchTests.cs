using FhirCore;
using FhirCore.Records;

namespace FhirStore.Tests.Search;

/// <summary>A search keeps opened what it has shown: the next one must not see less for it.</summary>
public sealed class RepeatedSearchTests
{
    public static TheoryData<string> Ways =>
    [
        "Patient?identifier=urn:t|1", // decided by the index
        "Patient?given=An", // held against the resource
        "Patient?given=An&_sort=given,-birthdate", // sorted in memory
        "Observation?_include=Observation:subject",
        "Organization?_revinclude=Patient:organization",
    ];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Written_IsFoundAsItIsNow(string query)
    {
        using var house = await HouseAsync();
        Assert.Contains("Anna", await FoundAsync(house, query), StringComparison.Ordinal);
        await house.PutAsync(Patient("a", "Andrey"));
        Assert.Contains("Andrey", await FoundAsync(house, query), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task BodyDamagedBehindTheServersBack_IsAFault(string query)
    {
        using var house = await HouseAsync();
        await FoundAsync(house, query);
        await ReplaceAsync(house, record =>
        {
            var body = record.Body.ToArray();
            body[^40] ^= 4;
            return record with { Body = body };
        });
        await Assert.ThrowsAsync<StoreCorruptException>(() => FoundAsync(house, query));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task IndexEntriesChangedBehindTheServersBack_AreAFault(string query)
    {
        using var house = await HouseAsync();
        await FoundAsync(house, query);
        var other = new IndexEntries.Builder();
        foreach (var entry in (await house.Store.GetAsync(new("Patient", "a"), default))!.Index)
        {
            other.Add(entry.Field, entry.Value.ToArray());
        }
        other.Add(IndexField.Of("Patient.another"), [1]);
        await ReplaceAsync(house, record => record with { Index = other.Build() });
        await Assert.ThrowsAsync<StoreCorruptException>(() => FoundAsync(house, query));
    }

    private static async Task<SearchHouse> HouseAsync()
    {
        var house = await SearchHouse.OpenAsync();
        await house.PutAsync(
            """{"resourceType":"Organization","id":"o"}""", Patient("a", "Anna"), """{"resourceType":"Observation","id":"x","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/a"}}""");
        return house;
    }

    private static string Patient(string id, string given) =>
        $$$"""{"resourceType":"Patient","id":"{{{id}}}","identifier":[{"system":"urn:t","value":"1"}],"name":[{"given":["{{{given}}}"]}],"managingOrganization":{"reference":"Organization/o"}}""";

    private static async Task<string> FoundAsync(SearchHouse house, string query)
    {
        var page = await house.FindAsync(query);
        return string.Concat(page.Matches.Concat(page.Included).Select(SearchHouse.Text));
    }

    private static async Task ReplaceAsync(SearchHouse house, Func<StoredRecord, StoredRecord> change)
    {
        var rows = (IStoreCopy)house.Store;
        await foreach (var row in rows.ReadAsync(StorePosition.Start, default))
        {
            if (row is StoreRow.Current { Record.Key: { Type: "Patient", Id: "a" } } current)
            {
                await rows.WriteAsync([current with { Record = change(current.Record) }], default);
                return;
            }
        }
        Assert.Fail("There is no such row.");
    }
}
