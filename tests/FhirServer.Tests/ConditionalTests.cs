namespace FhirServer.Tests;

/// <summary>https://hl7.org/fhir/R4/http.html#ccreate and its relatives.</summary>
public sealed class ConditionalTests(ServerFixture server)
{
    private readonly FhirClient _client = server.Client;

    [Fact]
    public async Task Create_HundredAtOnceWithOneIdentifier_MakeOneResource()
    {
        var value = Guid.NewGuid().ToString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(CreateAsync)));

        var created = Assert.Single(answers, answer => answer.Status == 201);
        Assert.Equal(99, answers.Count(answer => answer.Status == 200));
        Assert.All(answers, answer => Assert.Equal(created.Location, answer.Location));
        Assert.Single(await _client.SearchAllAsync($"Patient?identifier=urn:test|{value}"));

        // Sent again when told to: on a busy machine a hundred that get into each other's way may not all be done in time.
        async Task<Answer> CreateAsync()
        {
            while (true)
            {
                var answer = await _client.PostAsync("Patient", BundleTests.Identified(value), ("If-None-Exist", $"identifier=urn:test|{value}"));
                if (answer.Status != 503)
                {
                    return answer;
                }
                await Task.Delay(answer.Response.Headers.RetryAfter!.Delta!.Value, TestContext.Current.CancellationToken);
            }
        }
    }

    [Fact]
    public async Task Update_CreatesThenUpdatesThenRefusesSeveralMatches()
    {
        var value = Guid.NewGuid().ToString();
        var first = await _client.PutAsync($"Patient?identifier=urn:test|{value}", BundleTests.Identified(value));
        Assert.Equal(201, first.Status);
        var second = await _client.PutAsync($"Patient?identifier=urn:test|{value}", BundleTests.Identified(value));
        Assert.Equal(200, second.Status);
        Assert.Equal(first.Id, second.Id);
        Assert.Equal("W/\"2\"", second.ETag);
        Assert.Equal(201, (await _client.PostAsync("Patient", BundleTests.Identified(value))).Status);
        Assert.Equal(412, (await _client.PutAsync($"Patient?identifier=urn:test|{value}", BundleTests.Identified(value))).Status);
        Assert.Equal(412, (await _client.PostAsync("Patient", BundleTests.Identified(value), ("If-None-Exist", $"identifier=urn:test|{value}"))).Status);
        Assert.Equal(412, (await _client.DeleteAsync($"Patient?identifier=urn:test|{value}")).Status);
    }

    [Fact]
    public async Task Delete_RemovesTheOneMatch()
    {
        var value = Guid.NewGuid().ToString();
        var id = (await _client.PostAsync("Patient", BundleTests.Identified(value))).Id;
        Assert.Equal(204, (await _client.DeleteAsync($"Patient?identifier=urn:test|{value}")).Status);
        Assert.Equal(410, (await _client.GetAsync($"Patient/{id}")).Status);
        Assert.Equal(204, (await _client.DeleteAsync($"Patient?identifier=urn:test|{value}")).Status);
    }

    [Fact]
    public async Task Create_WithoutCriteria_IsRefused() =>
        Assert.Equal(400, (await _client.PostAsync("Patient", BundleTests.Identified("x"), ("If-None-Exist", "?"))).Status);
}
