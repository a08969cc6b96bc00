using System.Text.Json.Nodes;
using StandIns;

namespace FhirServer.Tests;

/// <summary>A server that sends its e-mail to a stand-in.</summary>
public sealed class MailingServer : ServerFixture
{
    public SmtpStandIn Smtp { get; } = SmtpStandIn.Start();

    protected override string[] Extra => [.. Smtp.Settings.Select(setting => $"--{setting.Key}={setting.Value}"), "--Subscriptions:EmailInterval=00:00:00", "--Reminders:Enabled=false"];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Smtp.DisposeAsync();
    }
}

/// <summary>https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/channels.html#email</summary>
public sealed class SubscriptionMailTests(MailingServer server) : IClassFixture<MailingServer>
{
    private const string Extension = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Subscriber_IsToldThatSomethingHappened_AndFindsTheNotificationAttached()
    {
        Assert.Equal(201, (await server.Client.PutAsync("Patient/mailed", """{"resourceType":"Patient","id":"mailed"}""")).Status);
        var made = await server.Client.PostAsync("Subscription", Subscription("text/plain;attach=application/fhir+json", "id-only"));
        Assert.True(made.Status == 201, made.Text);
        Assert.Contains($"Subscription/{made.Id}", (await MailAsync("Your subscription")).Text, StringComparison.Ordinal);
        var observation = await server.Client.PostAsync("Observation", """{"resourceType":"Observation","status":"final","code":{"text":"Secret finding"},"subject":{"reference":"Patient/mailed"}}""");

        var mail = await MailAsync("News for your subscription");
        Assert.StartsWith($"1 event for {server.Base}/Subscription/{made.Id}.", mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("mailed", mail.Text, StringComparison.Ordinal);
        var attached = (MimeKit.MimePart)Assert.Single(mail.Read().Attachments);
        using var bundle = new MemoryStream();
        await attached.Content!.DecodeToAsync(bundle, TestContext.Current.CancellationToken);
        var text = System.Text.Encoding.UTF8.GetString(bundle.ToArray());
        Assert.Contains($"Observation/{observation.Id}", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Secret finding", text, StringComparison.Ordinal);
    }

    /// <summary>Mail is read by anybody on its way.</summary>
    [Theory]
    [InlineData("text/plain;attach=application/fhir+json", "full-resource", "Subscription.channel.payload.extension")]
    [InlineData("application/fhir+json", "id-only", "Subscription.channel.payload")]
    public async Task WhatIsNotForMail_IsRefused(string payload, string content, string expression)
    {
        var refused = await server.Client.PostAsync("Subscription", Subscription(payload, content));

        Assert.Equal(422, refused.Status);
        Assert.Equal(expression, (string?)refused.Issues[0]["expression"]![0]);
    }

    private async Task<TakenMail> MailAsync(string subject)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (true)
        {
            if (server.Smtp.Shown.FirstOrDefault(mail => mail.Read().Subject == subject) is { } found)
            {
                return found;
            }
            Assert.False(limit.IsCancellationRequested, $"No mail '{subject}' has come.");
            await Task.Delay(20, CancellationToken.None);
        }
    }

    private static string Subscription(string payload, string content) => JsonNode.Parse($$"""
        {"resourceType":"Subscription","status":"requested","reason":"Test","criteria":"urn:fhir-server:topic:patient-record",
         "_criteria":{"extension":[{"url":"{{Extension}}filter-criteria","valueString":"patient=Patient/mailed"} ] },
         "channel":{"type":"email","endpoint":"mailto:desk@clinic.example","payload":"{{payload}}",
          "_payload":{"extension":[{"url":"{{Extension}}payload-content","valueCode":"{{content}}" } ] } } }
        """)!.ToJsonString();
}
