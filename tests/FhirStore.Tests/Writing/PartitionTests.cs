using FhirStore.Tests.Search;
using FhirStore.Writing;

namespace FhirStore.Tests.Writing;

/// <summary>Where a record lies, and where its changes are found.</summary>
public sealed class PartitionTests
{
    [Theory]
    [InlineData("""{"resourceType":"Slot","id":"s1","schedule":{"reference":"Schedule/dr"},"status":"free","start":"2030-01-01T08:00:00Z","end":"2030-01-01T09:00:00Z"}""", "dr")]
    [InlineData("""{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/ana"}}""", "ana")]
    [InlineData("""{"resourceType":"Basic","id":"b1","code":{"text":"x"}}""", "b1")]
    public async Task Deletion_LiesWhereTheResourceLay(string resource, string partition)
    {
        using var house = await SearchHouse.OpenAsync();
        var store = house.StoreWith();
        var parsed = FhirStore.Json.ResourceParser.Parse(System.Text.Encoding.UTF8.GetBytes(resource), null).Value;
        var key = new FhirCore.ResourceKey(parsed.Type, parsed.Id!);
        Assert.True((await store.WriteAsync([new WriteRequest.Update(key, parsed, null)], default)).TryGet(out _, out _));
        Assert.True((await store.WriteAsync([new WriteRequest.Delete(key, null)], default)).TryGet(out _, out _));

        var changes = (await house.Store.ReadChangesAsync(0, 10, default)).Where(change => change.Key == key).ToList();
        Assert.Equal([(false, partition), (true, partition)], changes.Select(change => (change.Deleted, change.Partition)));
    }
}
