using FhirCore.Messages;
using Messages.Fcm;
using Microsoft.Extensions.Time.Testing;
using StandIns;
using Tests.Shared;

namespace Messages.Tests;

public sealed class FcmChannelTests : MessageChannelContract
{
    private FcmStandIn _fcm = null!;

    private sealed class FcmUnderTest(FcmStandIn fcm, FakeTimeProvider clock) : IProviderUnderTest
    {
        public FcmChannel Fcm { get; } = new(Options(fcm), clock);

        public IMessageChannel Channel => Fcm;

        public FakeTimeProvider Clock => clock;

        public string Address => "registration-token-1";

        public Ending Busy => new Ending.Refused(429, "QUOTA_EXCEEDED", TimeSpan.FromSeconds(7));

        public Ending NoSuchAddress => new Ending.Refused(404, "UNREGISTERED");

        public int Taken => fcm.Sent;

        public int Seen => fcm.Shown.Count;

        public void End(Ending ending) => fcm.Ends = _ => ending;

        public IMessageChannel WithWrongCredentials()
        {
            fcm.TokenEnds = () => new Ending.Refused(400, "invalid_grant");
            return new FcmChannel(Options(fcm), clock);
        }

        public IMessageChannel WithNobodyThere() => new FcmChannel(Options(fcm) with { BaseUrl = new($"http://127.0.0.1:{FreePort.Draw()}/") }, clock);

        public async ValueTask DisposeAsync()
        {
            Fcm.Dispose();
            await fcm.DisposeAsync();
        }
    }

    private static FcmOptions Options(FcmStandIn fcm) => new(fcm.BaseUrl, FcmStandIn.ProjectId, fcm.CredentialsFile);

    protected override async Task<IProviderUnderTest> StartAsync() => new FcmUnderTest(_fcm = await FcmStandIn.StartAsync(), new(TimeProvider.System.GetUtcNow()));

    [Theory]
    [InlineData(404, "UNREGISTERED", MessageRefusal.BadAddress)]
    [InlineData(403, "SENDER_ID_MISMATCH", MessageRefusal.BadAddress)]
    [InlineData(400, "BAD_TOKEN", MessageRefusal.BadAddress)]
    [InlineData(400, "INVALID_ARGUMENT", MessageRefusal.Content)]
    [InlineData(401, "THIRD_PARTY_AUTH_ERROR", MessageRefusal.Configuration)]
    [InlineData(403, "PERMISSION_DENIED", MessageRefusal.Configuration)]
    [InlineData(404, "NOT_FOUND", MessageRefusal.Configuration)]
    public async Task Refusals_AreToldApart(int status, string code, MessageRefusal why)
    {
        Provider.End(new Ending.Refused(status, code));
        Assert.Equal(why, Assert.IsType<MessageResult.Refused>(await Channel.SendAsync(Message(), Ct)).Why);
    }

    [Theory]
    [InlineData(429, "QUOTA_EXCEEDED", 7, 60)] // never sooner than a minute
    [InlineData(429, "QUOTA_EXCEEDED", 300, 300)]
    [InlineData(503, "UNAVAILABLE", 40, 40)]
    public async Task Busy_IsForLater(int status, string code, int asked, int seconds)
    {
        Provider.End(new Ending.Refused(status, code, TimeSpan.FromSeconds(asked)));
        Assert.Equal(TimeSpan.FromSeconds(seconds), Assert.IsType<MessageResult.Later>(await Channel.SendAsync(Message(), Ct)).After);
    }

    [Fact]
    public async Task InternalError_IsUnknown_AndARepetitionShowsOnce()
    {
        Provider.End(new Ending.TakenWithError(500));
        Assert.IsType<MessageResult.Unknown>(await Channel.SendAsync(Message(), Ct));
        Provider.End(Ending.Ok);
        await Channel.SendAsync(Message(), Ct);
        Assert.Equal((2, 1), (_fcm.Sent, _fcm.Shown.Count));
    }

    [Fact]
    public async Task AccessToken_IsUsedAgain_AndItsEndpointMayFail()
    {
        _fcm.TokenEnds = () => new Ending.Refused(503, "unavailable");
        Assert.IsType<MessageResult.Later>(await Channel.SendAsync(Message(), Ct));
        _fcm.TokenEnds = () => Ending.Ok;
        for (var i = 0; i < 5; i++)
        {
            Assert.IsType<MessageResult.Accepted>(await Channel.SendAsync(Message($"m{i}"), Ct));
        }
        Assert.Equal(1, _fcm.TokensGiven);
    }

    [Fact]
    public async Task Push_CarriesWhatTheAppNeeds_AndEndsWithTheVisit()
    {
        await Channel.SendAsync(Message() with { Data = new Dictionary<string, string> { ["appointment"] = "a1" }, NotAfter = Provider.Clock.GetUtcNow().AddMinutes(10) }, Ct);
        var push = Assert.Single(_fcm.Shown);
        Assert.Equal(("m1", "Your visit", "600s", "a1"), (push.Tag, push.Title, push.Ttl, (string?)push.Data["appointment"]));
        Assert.StartsWith("Your visit is on", push.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TooLong_IsRefusedBeforeItIsSent()
    {
        Assert.Equal(MessageRefusal.Content, Assert.IsType<MessageResult.Refused>(await Channel.SendAsync(Message(text: new string('x', 5000)), Ct)).Why);
        Assert.Equal(0, _fcm.Sent);
    }

    [Fact]
    public void CredentialsThatAreNone_AreToldWithoutTheirContent()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, """{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----"}""");
            foreach (var path in (string[])[file, file + ".missing"])
            {
                var error = Assert.Throws<InvalidOperationException>(() => new FcmChannel(Options(_fcm) with { CredentialsFile = path }, Provider.Clock));
                Assert.DoesNotContain("hush", error.ToString(), StringComparison.Ordinal);
            }
        }
        finally
        {
            File.Delete(file);
        }
    }
}
