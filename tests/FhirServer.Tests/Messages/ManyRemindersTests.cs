using System.Globalization;
using System.Text.Json.Nodes;
using StandIns;

namespace FhirServer.Tests.Messages;

/// <summary>A server that sends SMS to a stand-in, and tells nobody of bookings.</summary>
public sealed class ManyRemindersServer : ServerFixture
{
    public TwilioStandIn Twilio { get; private set; } = null!;

    protected override string[] Extra =>
    [
        .. Twilio.Settings.Select(setting => $"--{setting.Key}={setting.Value}"),
        "--Reminders:Before:0=00:05:00", "--Reminders:QuietHours=", "--Reminders:Spacing=00:00:00", "--Reminders:Notices=false", "--Reminders:ClinicName=Lindenhof",
    ];

    public override async ValueTask InitializeAsync()
    {
        Twilio = await TwilioStandIn.StartAsync();
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Twilio.DisposeAsync();
    }
}

/// <summary>R08 as a build has time for it; bench/Bench has the hundred thousand.</summary>
public sealed class ManyRemindersTests(ManyRemindersServer server) : IClassFixture<ManyRemindersServer>
{
    private const int Visits = 2_000;
    private const int InOneTransaction = 250;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task R08_ManyDueAtOnce_EachLeavesOnce()
    {
        var start = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().AddHours(6).ToUnixTimeSeconds()); // as it is written: in whole seconds
        await WriteAsync([Service("")]);
        foreach (var some in Enumerable.Range(0, Visits).Chunk(InOneTransaction))
        {
            await WriteAsync(some.SelectMany(i => (string[])[Person(i), Visit(i, start)]));
        }

        // All are due when their service says that it reminds as long before as it will be in a moment: who books after that is not reminded.
        var minutes = (start - TimeProvider.System.GetUtcNow().AddSeconds(2)).TotalMinutes.ToString("0.0000", CultureInfo.InvariantCulture);
        await WriteAsync([Service($$$""","extension":[{"url":"urn:fhir-server:reminders","extension":[{"url":"before","valueDuration":{"value":{{{minutes}}},"code":"min"}}]}]""")]);
        await UntilAsync(() => Task.FromResult(server.Twilio.Count), Visits);
        await UntilAsync(async () => (int)(await server.Client.GetAsync("Communication?status=completed&_summary=count")).Json["total"]!, Visits);

        var sent = server.Twilio.Messages;
        Assert.Equal(Visits, sent.Count);
        Assert.Equal(Visits, sent.Select(sms => sms.To).Distinct().Count());
        Assert.All(sent, sms => Assert.StartsWith("Lindenhof: visit on ", sms.Body, StringComparison.Ordinal));
    }

    private static string Service(string more) => $$"""{"resourceType":"HealthcareService","id":"many-service"{{more}}}""";

    private static string Person(int i) => $$"""{"resourceType":"Patient","id":"many-{{i}}","telecom":[{"system":"sms","value":"+4915130{{i:000000}}"}]}""";

    private static string Visit(int i, DateTimeOffset start) => $$"""
        {"resourceType":"Appointment","id":"many-{{i}}","status":"booked","start":"{{start:yyyy-MM-ddTHH:mm:ssZ}}","end":"{{start.AddMinutes(20):yyyy-MM-ddTHH:mm:ssZ}}",
         "participant":[{"actor":{"reference":"Patient/many-{{i}}"},"status":"accepted"},{"actor":{"reference":"HealthcareService/many-service"},"status":"accepted"}]}
        """;

    private async Task WriteAsync(IEnumerable<string> resources)
    {
        var entries = resources.Select(text => JsonNode.Parse(text)!).Select(resource => (JsonNode)new JsonObject
        {
            ["resource"] = resource, ["request"] = new JsonObject { ["method"] = "PUT", ["url"] = $"{resource["resourceType"]}/{resource["id"]}" },
        });
        var answer = await server.Client.PostAsync("", new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction", ["entry"] = new JsonArray([.. entries]) }.ToJsonString());
        Assert.True(answer.Status == 200, answer.Text);
    }

    private static async Task UntilAsync(Func<Task<int>> count, int enough)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!patience.IsCancellationRequested && await count() < enough)
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
