using FhirCore.Messages;
using Messages.Twilio;
using Microsoft.Extensions.Time.Testing;
using StandIns;
using Tests.Shared;

namespace Messages.Tests;

public sealed class TwilioChannelTests : MessageChannelContract
{
    private TwilioStandIn _twilio = null!;

    private sealed class TwilioUnderTest(TwilioStandIn twilio, FakeTimeProvider clock) : IProviderUnderTest
    {
        public TwilioChannel Twilio { get; } = new(Options(twilio.BaseUrl) with { StatusCallback = new("https://clinic.example/messages/twilio/status") }, clock);

        public IMessageChannel Channel => Twilio;

        public FakeTimeProvider Clock => clock;

        public string Address => "+4915112345678";

        public Ending Busy => new Ending.Refused(429, "20429", TimeSpan.FromSeconds(7));

        public Ending NoSuchAddress => new Ending.Refused(400, "21211");

        public int Taken => twilio.Count;

        public int Seen => twilio.Count; // a phone shows each

        public void End(Ending ending) => twilio.Ends = (_, _) => ending;

        public IMessageChannel WithWrongCredentials() => new TwilioChannel(Options(twilio.BaseUrl) with { AuthToken = "another" }, clock);

        public IMessageChannel WithNobodyThere() => new TwilioChannel(Options(new($"http://127.0.0.1:{FreePort.Draw()}/")), clock);

        public async ValueTask DisposeAsync()
        {
            Twilio.Dispose();
            await twilio.DisposeAsync();
        }
    }

    private static TwilioOptions Options(Uri address) => new(address, TwilioStandIn.AccountSid, TwilioStandIn.AuthToken, TwilioStandIn.From);

    protected override async Task<IProviderUnderTest> StartAsync() => new TwilioUnderTest(_twilio = await TwilioStandIn.StartAsync(), new(TimeProvider.System.GetUtcNow()));

    [Theory]
    [InlineData(400, 21610, MessageRefusal.OptedOut)]
    [InlineData(400, 21211, MessageRefusal.BadAddress)]
    [InlineData(400, 21614, MessageRefusal.BadAddress)]
    [InlineData(400, 21617, MessageRefusal.Content)]
    [InlineData(400, 21606, MessageRefusal.Configuration)]
    [InlineData(403, 20003, MessageRefusal.Configuration)]
    [InlineData(404, 20404, MessageRefusal.Configuration)]
    public async Task Refusals_AreToldApartByTheirCodes(int status, int code, MessageRefusal why)
    {
        Provider.End(new Ending.Refused(status, $"{code}"));
        var refused = Assert.IsType<MessageResult.Refused>(await Channel.SendAsync(Message(), Ct));
        Assert.Equal((why, $"{code}"), (refused.Why, refused.Code));
    }

    [Theory]
    [InlineData(429, "20429", 7)]
    [InlineData(503, "", 90)]
    [InlineData(503, "", null)]
    public async Task Busy_IsForLater_WhenTheProviderSays(int status, string code, int? seconds)
    {
        Provider.End(new Ending.Refused(status, code, seconds is { } s ? TimeSpan.FromSeconds(s) : null));
        var later = Assert.IsType<MessageResult.Later>(await Channel.SendAsync(Message(), Ct));
        Assert.Equal(seconds, (int?)later.After?.TotalSeconds);
    }

    [Fact]
    public async Task QueueFull_IsForLater() // 21611: more than ten hours of messages wait
    {
        Provider.End(new Ending.Refused(400, "21611"));
        Assert.True(Assert.IsType<MessageResult.Later>(await Channel.SendAsync(Message(), Ct)).After >= TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(504)]
    public async Task OtherServerErrors_AreUnknown_AndFoundByTheList(int status)
    {
        Provider.End(new Ending.TakenWithError(status));
        Assert.IsType<MessageResult.Unknown>(await Channel.SendAsync(Message(), Ct));
        Assert.IsType<MessageResult.Accepted>(await Channel.FindAsync(Message(), Provider.Clock.GetUtcNow(), Ct));
    }

    [Fact]
    public async Task Find_ListDoesNotAnswer_IsUnknown()
    {
        await Channel.SendAsync(Message(), Ct);
        foreach (var ending in (Ending[])[new Ending.Broken(), new Ending.Refused(503)])
        {
            _twilio.ListEnds = _ => ending;
            Assert.IsType<MessageResult.Unknown>(await Channel.FindAsync(Message(), Provider.Clock.GetUtcNow(), Ct));
        }
    }

    [Fact]
    public async Task Find_OverSeveralPages_SeesWhatWaitsToo()
    {
        await Channel.SendAsync(Message(), Ct);
        await Task.WhenAll(Enumerable.Range(0, 150).Select(i => Channel.SendAsync(Message($"n{i}", $"Text {i}"), Ct)));
        Assert.IsType<MessageResult.Accepted>(await Channel.FindAsync(Message(), Provider.Clock.GetUtcNow(), Ct));
        Assert.IsType<MessageResult.Later>(await Channel.FindAsync(Message("x", "never sent"), Provider.Clock.GetUtcNow(), Ct));
    }

    [Fact]
    public async Task Find_OlderThanTheAttempts_IsAnotherMessage()
    {
        await Channel.SendAsync(Message(), Ct);
        Assert.IsType<MessageResult.Later>(await Channel.FindAsync(Message(), Provider.Clock.GetUtcNow().AddHours(1), Ct));
    }

    [Fact]
    public async Task Find_TakenButFailedSince_IsRefused()
    {
        await Channel.SendAsync(Message(), Ct);
        var sms = Assert.Single(_twilio.Messages);
        (sms.Status, sms.Error) = ("undelivered", 30006);
        Assert.Equal(MessageRefusal.BadAddress, Assert.IsType<MessageResult.Refused>(await Channel.FindAsync(Message(), Provider.Clock.GetUtcNow(), Ct)).Why);
    }

    [Fact]
    public async Task Form_TellsWhereToReport_AndHowLongItIsGood()
    {
        await Channel.SendAsync(Message() with { NotAfter = Provider.Clock.GetUtcNow().AddMinutes(90) }, Ct);
        await Channel.SendAsync(Message("long") with { NotAfter = Provider.Clock.GetUtcNow().AddDays(3) }, Ct);
        await Channel.SendAsync(Message("late") with { NotAfter = Provider.Clock.GetUtcNow().AddMinutes(-1) }, Ct);
        Assert.Equal(["https://clinic.example/messages/twilio/status?m=m1", "https://clinic.example/messages/twilio/status?m=long", "https://clinic.example/messages/twilio/status?m=late"], _twilio.Messages.Select(sms => sms.StatusCallback));
        Assert.Equal([5400, null, 1], _twilio.Messages.Select(sms => sms.ValidFor));
    }
}
