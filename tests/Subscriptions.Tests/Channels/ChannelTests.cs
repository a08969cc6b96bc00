using System.Collections.Immutable;
using System.Text;
using FhirCore.Messages;
using Subscriptions.Channels;
using Subscriptions.Definitions;
using Subscriptions.Delivery;

namespace Subscriptions.Tests.Channels;

public sealed class ChannelTests
{
    private static readonly ReadOnlyMemory<byte> Bundle = Encoding.UTF8.GetBytes("{\"planted\":\"Observation/o1\"}");

    /// <summary>What happened is never in the text, whatever the content; the notification is attached where that is asked for.</summary>
    [Theory]
    [InlineData("text/plain", false)]
    [InlineData("text/plain;attach=application/fhir+json", true)]
    public async Task Email_SaysThatSomethingHappened_NotWhat(string payload, bool attaches)
    {
        var mail = new Mail(new MessageResult.Accepted(null));
        Assert.IsType<SendOutcome.Taken>(await new EmailChannel(mail, "https://clinic.example/fhir", TimeProvider.System).SendAsync(Make(ChannelKind.Email, payload), default));

        var message = Assert.Single(mail.Sent);
        Assert.Equal(("00.1-3", "desk@clinic.example"), (message.Id, message.To));
        Assert.Contains("3 events for https://clinic.example/fhir/Subscription/s", message.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Observation", message.Text + message.Subject, StringComparison.Ordinal);
        Assert.Equal(attaches, message.File is not null);
    }

    [Fact]
    public async Task Email_WhoseAnswerIsLost_IsAskedAfterBeforeItIsSentAgain()
    {
        var mail = new Mail(new MessageResult.Unknown("timeout")) { Found = new MessageResult.Accepted("1") };
        Assert.IsType<SendOutcome.Taken>(await new EmailChannel(mail, "https://clinic.example/fhir", TimeProvider.System).SendAsync(Make(ChannelKind.Email, "text/plain"), default));
    }

    public static TheoryData<MessageResult, SendOutcome> Results => new()
    {
        { new MessageResult.Later("busy", TimeSpan.FromSeconds(9)), new SendOutcome.Failed("mail-later", TimeSpan.FromSeconds(9)) },
        { new MessageResult.Unknown("timeout"), new SendOutcome.Failed("mail-unknown") },
        { new MessageResult.Refused(MessageRefusal.BadAddress, "550"), new SendOutcome.Gone("mail-no-such-address") },
        { new MessageResult.Refused(MessageRefusal.OptedOut, "550"), new SendOutcome.Gone("mail-opted-out") },
        { new MessageResult.Refused(MessageRefusal.Content, "552"), new SendOutcome.Failed("mail-content-refused", IsAboutContent: true) },
        { new MessageResult.Refused(MessageRefusal.Configuration, "535"), new SendOutcome.Failed("mail-refused") },
    };

    [Theory]
    [MemberData(nameof(Results))]
    public async Task Email_ResultsAreOutcomes(MessageResult result, SendOutcome expected) =>
        Assert.Equal(expected, await new EmailChannel(new Mail(result) { Found = result }, "https://clinic.example/fhir", TimeProvider.System).SendAsync(Make(ChannelKind.Email, "text/plain"), default));

    public static TheoryData<StreamAnswer, SendOutcome> Answers => new()
    {
        { StreamAnswer.Kept, SendOutcome.Done },
        { StreamAnswer.Away, new SendOutcome.Failed("stream-away") },
        { StreamAnswer.TooLarge, new SendOutcome.Failed("stream-too-large", IsAboutContent: true) },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Stream_AppendsUnderTheSubscription(StreamAnswer answer, SendOutcome expected)
    {
        var stream = new Stream(answer);
        var outcome = await new StreamChannel(stream).SendAsync(Make(ChannelKind.Stream, "application/fhir+json"), default);
        Assert.Equal(expected, outcome);
        Assert.Equal(["s 00.1-3 application/fhir+json {\"planted\":\"Observation/o1\"}"], stream.Appended);
    }

    /// <summary>The example of https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.</summary>
    [Fact]
    public void Signature_IsThatOfStandardWebhooks() =>
        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            RestHook.Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}"u8));

    private static Outgoing Make(ChannelKind kind, string payload) => new(
        "00.1-3", NotificationType.EventNotification,
        new()
        {
            Key = new("Subscription", "s"), Status = SubscriptionStatus.Active, Criteria = "c", Filters = ImmutableDictionary<string, TypeFilter>.Empty, Channel = kind,
            Endpoint = "desk@clinic.example", Payload = payload, Content = ContentLevel.IdOnly,
        },
        new(), Bundle, null, 3);

    private sealed class Mail(MessageResult result) : IMessageChannel
    {
        public List<OutgoingMessage> Sent { get; } = [];

        public MessageResult? Found { get; init; }

        public MessageChannelKind Kind => MessageChannelKind.Email;

        public bool Remembers => Found is not null;

        public Task<MessageResult> SendAsync(OutgoingMessage message, CancellationToken ct)
        {
            Sent.Add(message);
            return Task.FromResult(result);
        }

        public Task<MessageResult> FindAsync(OutgoingMessage message, DateTimeOffset since, CancellationToken ct) => Task.FromResult(Found!);
    }

    private sealed class Stream(StreamAnswer answer) : INotificationStream
    {
        public List<string> Appended { get; } = [];

        public Task<StreamAnswer> AppendAsync(string key, string id, string contentType, ReadOnlyMemory<byte> notification, CancellationToken ct)
        {
            Appended.Add($"{key} {id} {contentType} {Encoding.UTF8.GetString(notification.Span)}");
            return Task.FromResult(answer);
        }
    }
}
