using System.Text;
using FhirCore;
using FhirStore.Json;
using FhirStore.Tests.Encryption;
using FhirStore.Tests.Search;
using FhirStore.Writing;

namespace FhirStore.Tests.Writing;

/// <summary>Somebody else writes between the look at the criteria and the commit.</summary>
public sealed class CriteriaRaceTests
{
    private const string Ana = """{"resourceType":"Patient","id":"ana","identifier":[{"system":"urn:mrn","value":"1"}]}""";

    [Fact]
    public async Task ConditionalReference_AnotherComesToMatchMeanwhile_IsRefused()
    {
        using var house = await SearchHouse.OpenAsync();
        await house.PutAsync(Ana);
        var store = house.StoreWith(new Meanwhile(() => house.PutAsync("""{"resourceType":"Patient","id":"bo","identifier":[{"system":"urn:mrn","value":"1"}]}""")));

        var refused = await store.WriteAsync(
            [Create("""{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient?identifier=urn:mrn|1"}}"""), Create("""{"resourceType":"Basic","code":{"text":"y"}}""")], default);

        Assert.False(refused.TryGet(out _, out var failure));
        Assert.Equal("multiple-matches", Assert.Single(failure.Issues).Code);
        Assert.Empty((await house.FindAsync("Basic")).Matches);
    }

    [Fact]
    public async Task ConditionalReference_ItsTargetIsDeletedMeanwhile_IsRefused()
    {
        using var house = await SearchHouse.OpenAsync();
        await house.PutAsync(Ana);
        var store = house.StoreWith(new Meanwhile(() => house.DeleteAsync("Patient", "ana")));

        var refused = await store.WriteAsync(
            [Create("""{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient?identifier=urn:mrn|1"}}"""), Create("""{"resourceType":"Basic","code":{"text":"y"}}""")], default);

        Assert.False(refused.TryGet(out _, out var failure));
        Assert.Equal("not-found", Assert.Single(failure.Issues).Code);
    }

    [Fact]
    public async Task ConditionalUpdate_TheMatchStopsMatchingMeanwhile_MakesAnother()
    {
        using var house = await SearchHouse.OpenAsync();
        await house.PutAsync(Ana);
        var store = house.StoreWith(new Meanwhile(() => house.PutAsync("""{"resourceType":"Patient","id":"ana","active":true}""")));

        var outcome = (await store.WriteAsync(
            [new WriteRequest.ConditionalUpdate(Parse("""{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]}"""), [new("identifier", "urn:mrn|1")], null)], default)).Value;

        Assert.Equal(WriteKind.Created, Assert.Single(outcome).Kind);
        Assert.NotEqual("ana", Assert.Single(await house.IdsAsync("Patient?identifier=urn:mrn|1")));
    }

    private static WriteRequest.Create Create(string json) => new(Parse(json), []);

    private static ParsedResource Parse(string json) => ResourceParser.Parse(Encoding.UTF8.GetBytes(json), null, inTransaction: true).Value;

    /// <summary>Does something once, when the first plan stands and before it is committed.</summary>
    private sealed class Meanwhile(Func<Task> happens) : IWriteRule
    {
        private bool _done;

        public async ValueTask<FhirFailure?> ApplyAsync(WritePlan plan, CancellationToken ct)
        {
            if (!_done)
            {
                _done = true;
                await happens();
            }
            return null;
        }
    }
}
