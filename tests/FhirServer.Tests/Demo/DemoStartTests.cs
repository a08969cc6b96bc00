using System.Text.Json.Nodes;

namespace FhirServer.Tests.Demo;

public sealed class DemoStartTests(DemoServer demo)
{
    [Fact]
    public async Task Demo_StartedTwice_DoublesNothingAndPrintsTheSecretOnce()
    {
        var ct = TestContext.Current.CancellationToken;
        await demo.GetAsync(ct);
        using var first = await demo.SignInAsync(ct);
        var before = await CountsAsync(first, ct);
        var output = await demo.RestartAsync(ct);
        using var second = await demo.SignInAsync(ct); // the printed secret still holds
        var after = await CountsAsync(second, ct);

        Assert.Equal(before, after);
        Assert.Equal(200, after["Patient"]);
        Assert.Equal(12, after["Practitioner"]);
        Assert.Equal(14, after["Location"]);
        Assert.True(after["Slot?status=free"] > 1_000);
        Assert.DoesNotMatch(DemoServer.Credentials(), output);
        Assert.DoesNotContain(demo.ClientSecret, output, StringComparison.Ordinal);
    }

    private static async Task<Dictionary<string, int>> CountsAsync(HttpClient http, CancellationToken ct)
    {
        var counts = new Dictionary<string, int>();
        foreach (var query in (string[])["Patient", "Practitioner", "Location", "Schedule", "Appointment", "Encounter"])
        {
            counts[query] = (int)JsonNode.Parse(await http.GetStringAsync($"{query}?_summary=count", ct))!["total"]!;
        }
        // A slot may begin between the two starts, but a day never comes into reach unless midnight passes.
        counts["Slot?status=free"] = (int)JsonNode.Parse(await http.GetStringAsync("Slot?status=free&_summary=count", ct))!["total"]!;
        return counts;
    }
}
