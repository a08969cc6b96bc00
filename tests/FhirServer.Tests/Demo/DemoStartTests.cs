using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FhirServer.Tests.Demo;

[Collection("the demo server, which one test restarts")]
public sealed partial class DemoStartTests(DemoServer demo)
{
    [Fact]
    public async Task Demo_StartedTwice_DoublesNothingAndPrintsTheSecretOnce()
    {
        var ct = TestContext.Current.CancellationToken;
        await demo.GetAsync(ct);
        using var first = await demo.SignInAsync(ct);
        var (before, slotsBefore) = (await CountsAsync(first, ct), await CountAsync(first, "Slot?status=free", ct));
        var output = await demo.RestartAsync(ct);
        using var second = await demo.SignInAsync(ct); // the printed secret still holds
        var (after, slotsAfter) = (await CountsAsync(second, ct), await CountAsync(second, "Slot?status=free", ct));

        Assert.Equal(before, after);
        Assert.Equal(200, after["Patient"]);
        Assert.Equal(12, after["Practitioner"]);
        Assert.Equal(14, after["Location"]);
        Assert.True(slotsBefore > 1_000);
        Assert.InRange(slotsAfter, slotsBefore, slotsBefore + 250); // a day more where midnight has passed between the starts
        Assert.DoesNotMatch(DemoServer.Credentials(), output);
        Assert.DoesNotMatch(DemoServer.People(), output);
        Assert.DoesNotContain(demo.ClientSecret, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DemoUsers_SignInWithThePrintedPasswords()
    {
        var ct = TestContext.Current.CancellationToken;
        var server = await demo.GetAsync(ct);
        Assert.Equal(["demo.administrator", "demo.manager", "demo.patient@example.org", "demo.practitioner", "demo.receptionist"], demo.Users.Keys.Order(StringComparer.Ordinal));
        foreach (var (userName, password) in demo.Users)
        {
            using var browser = new HttpClient { BaseAddress = new(server.Base, "/auth/") }; // keeps cookies, follows redirects
            var page = await browser.GetStringAsync("sign-in", ct);
            using var answer = await browser.PostAsync(
                "sign-in",
                new FormUrlEncodedContent([new("form_token", FormToken().Match(page).Groups[1].Value), new("username", userName), new("password", password)]),
                ct);
            Assert.EndsWith("/auth/account", answer.RequestMessage!.RequestUri!.AbsolutePath, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex("name=\"form_token\" value=\"([0-9a-f]+)\"")]
    private static partial Regex FormToken();

    private static async Task<Dictionary<string, int>> CountsAsync(HttpClient http, CancellationToken ct)
    {
        var counts = new Dictionary<string, int>();
        foreach (var type in (string[])["Organization", "Patient", "Practitioner", "PractitionerRole", "Location", "HealthcareService", "Schedule", "Encounter"])
        {
            counts[type] = await CountAsync(http, type, ct);
        }
        return counts;
    }

    private static async Task<int> CountAsync(HttpClient http, string query, CancellationToken ct) =>
        (int)JsonNode.Parse(await http.GetStringAsync(query + (query.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "_summary=count", ct))!["total"]!;
}
