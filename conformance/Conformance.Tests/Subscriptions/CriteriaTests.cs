using System.Net;
using System.Text.Json.Nodes;

namespace Conformance.Tests.Subscriptions;

/// <summary>Subscriptions by search criteria, as R4 itself has them: https://hl7.org/fhir/R4/subscription.html.</summary>
public sealed class CriteriaTests(ServerUnderTest server)
{
    private static SubscriberHost Host => SubscriberHost.Instance;

    /// <summary>Without a payload: a POST without a body, once for each match.</summary>
    [Fact]
    public async Task WithoutPayload_EachMatchIsAPostWithoutABody()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        await server.SubscribeAsync(Subscribing.ByCriteria($"Observation?subject={patient}&code=urn:conformance|a", box.Address).Channel("header", new JsonArray("X-Key: k")));
        Assert.Empty(box.All);
        await server.ObserveAsync(patient, "b");
        await server.ObserveAsync(patient);
        await server.ObserveAsync(await server.AdmitAsync());
        await server.ObserveAsync(patient);

        var received = await box.WhenAsync(all => all.Count == 2 ? all.ToArray() : null);
        Assert.All(received, one =>
        {
            Assert.Equal(("POST", new Uri(box.Address).AbsolutePath, ""), (one.Method, one.Path, one.Body));
            Assert.Equal("k", one.Headers["X-Key"]);
        });
        Assert.Equal(2, received.Select(one => one.Headers["webhook-id"]).Distinct().Count());
    }

    /// <summary>With a payload: the endpoint is a FHIR base, and the resource is put there. Deletions are not told.</summary>
    [Fact]
    public async Task WithPayload_TheResourceIsPutBelowTheEndpoint()
    {
        var (box, patient) = (Host.Open(), await server.AdmitAsync());
        await server.SubscribeAsync(Subscribing.ByCriteria($"Observation?subject={patient}", box.Address, "application/fhir+json"));
        var observation = await server.ObserveAsync(patient);
        var update = Subscribing.Observation(patient, "b");
        update["id"] = observation.Split('/')[1];
        (await server.PutAsync(observation, update)).Is(HttpStatusCode.OK);
        (await server.DeleteAsync(observation)).Is(HttpStatusCode.NoContent);
        var last = await server.ObserveAsync(patient);

        var received = await box.WhenAsync(all => all.Count >= 3 ? all.ToArray() : null);
        Assert.All(received, one => Assert.Equal("PUT", one.Method));
        var path = new Uri(box.Address).AbsolutePath;
        Assert.Equal([$"{path}/{observation}", $"{path}/{observation}", $"{path}/{last}"], received.Select(one => one.Path));
        Assert.Equal(["1", "2", "1"], received.Select(one => (string?)one.Json!["meta"]!["versionId"]));
        Assert.StartsWith("application/fhir+json", received[0].Headers["Content-Type"], StringComparison.Ordinal);
    }

    /// <summary>A type alone stands for all its resources.</summary>
    [Fact]
    public async Task TypeAlone_StandsForAllItsResources()
    {
        var box = Host.Open();
        var id = await server.SubscribeAsync(Subscribing.ByCriteria("VisionPrescription", box.Address));
        var patient = await server.AdmitAsync();
        (await server.PostAsync("VisionPrescription", JsonNode.Parse($$"""
            {"resourceType":"VisionPrescription","status":"active","created":"2026-01-01","dateWritten":"2026-01-01","patient":{"reference":"{{patient}}"},"prescriber":{"display":"x"},
             "lensSpecification":[{"product":{"text":"lens"},"eye":"left"}]}
            """)!)).Is(HttpStatusCode.Created);

        await box.WhenAsync(all => all.Count > 0 ? all : null);
        Assert.True(Notice.TotalOf(await server.CountedAsync(id, 1)) >= 1);
    }
}
