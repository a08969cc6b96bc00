using System.Net;
using System.Text;
using FhirCore.Messages;
using Messages.Smtp;
using Microsoft.Extensions.Time.Testing;
using StandIns;
using Tests.Shared;

namespace Messages.Tests;

public sealed class SmtpChannelTests : MessageChannelContract
{
    private SmtpStandIn _smtp = null!;

    private sealed class SmtpUnderTest(SmtpStandIn smtp, FakeTimeProvider clock) : IProviderUnderTest
    {
        public SmtpChannel Smtp { get; } = new(Options(smtp.Port), clock);

        public IMessageChannel Channel => Smtp;

        public FakeTimeProvider Clock => clock;

        public string Address => "anna@example.org";

        public Ending Busy => new Ending.Refused(451, "4.3.2");

        public Ending NoSuchAddress => new Ending.Refused(550, "5.1.1");

        public int Taken => smtp.Taken.Count;

        public int Seen => smtp.Shown.Count;

        public void End(Ending ending) => smtp.Ends = _ => ending;

        public IMessageChannel WithWrongCredentials()
        {
            smtp.AsksForPassword = true;
            return new SmtpChannel(Options(smtp.Port) with { User = SmtpStandIn.User, Password = "another" }, clock);
        }

        public IMessageChannel WithNobodyThere() => new SmtpChannel(Options(FreePort.Draw()), clock);

        public async ValueTask DisposeAsync()
        {
            Smtp.Dispose();
            await smtp.DisposeAsync();
        }
    }

    private static SmtpOptions Options(int port) => new("127.0.0.1", port, null, null, "Lindenhof Clinics <noreply@clinic.example>");

    protected override Task<IProviderUnderTest> StartAsync()
    {
        _smtp = SmtpStandIn.Start();
        return Task.FromResult<IProviderUnderTest>(new SmtpUnderTest(_smtp, new(TimeProvider.System.GetUtcNow())));
    }

    [Theory]
    [InlineData(550, "5.1.1", MessageRefusal.BadAddress)]
    [InlineData(550, "no", MessageRefusal.BadAddress)]
    [InlineData(553, "5.1.3", MessageRefusal.BadAddress)]
    [InlineData(552, "5.2.2", MessageRefusal.Unreachable)]
    [InlineData(550, "5.7.1", MessageRefusal.Content)]
    [InlineData(554, "data", MessageRefusal.Content)]
    [InlineData(552, "data", MessageRefusal.Content)]
    public async Task PermanentRefusals_AreToldApart(int status, string code, MessageRefusal why)
    {
        Provider.End(new Ending.Refused(status, code));
        Assert.Equal((why, $"{status}"), Told(Assert.IsType<MessageResult.Refused>(await Channel.SendAsync(Message(), Ct))));

        static (MessageRefusal, string) Told(MessageResult.Refused refused) => (refused.Why, refused.Code);
    }

    [Theory]
    [InlineData(450, "4.2.1")]
    [InlineData(451, "data")]
    [InlineData(452, "4.2.2")]
    public async Task PassingRefusals_AreForHalfAnHourLater(int status, string code)
    {
        Provider.End(new Ending.Refused(status, code));
        var later = Assert.IsType<MessageResult.Later>(await Channel.SendAsync(Message(), Ct));
        Assert.Equal(($"{status}", TimeSpan.FromMinutes(30)), (later.Code, later.After));
    }

    [Theory]
    [InlineData("421 4.3.2 shutting down", true)]
    [InlineData("554 5.3.2 not here", false)]
    public async Task Greeting_ThatSendsClientsAway_TakesNothing(string greeting, bool later)
    {
        _smtp.Greeting = greeting;
        var result = await Channel.SendAsync(Message(), Ct);
        Assert.True(later ? result is MessageResult.Later : result is MessageResult.Refused { Why: MessageRefusal.Configuration }, $"{result}");
    }

    [Fact]
    public async Task Password_LetsIn()
    {
        _smtp.AsksForPassword = true;
        using var channel = new SmtpChannel(Options(_smtp.Port) with { User = SmtpStandIn.User, Password = SmtpStandIn.Password }, Provider.Clock);
        Assert.IsType<MessageResult.Accepted>(await channel.SendAsync(Message(), Ct));
        Assert.Equal(MessageRefusal.Configuration, Assert.IsType<MessageResult.Refused>(await Channel.SendAsync(Message(), Ct)).Why); // without one
    }

    [Fact]
    public async Task AnotherMachine_IsNotSpokenToInClear()
    {
        // An address of this machine that the channel does not know as such stands for another machine.
        await using var elsewhere = SmtpStandIn.Start(address: IPAddress.Parse("127.0.0.2"));
        using var channel = new SmtpChannel(Options(elsewhere.Port) with { Host = "127.0.0.2" }, Provider.Clock);
        Assert.Equal(MessageRefusal.Configuration, Assert.IsType<MessageResult.Refused>(await channel.SendAsync(Message(), Ct)).Why);
        Assert.Empty(elsewhere.Taken);
    }

    [Fact]
    public async Task ManyMessages_ShareFewConnections()
    {
        for (var round = 0; round < 3; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Channel.SendAsync(Message($"r{round}-{i}"), Ct)));
        }
        Assert.Equal(180, _smtp.Taken.Count);
        Assert.True(_smtp.MostOpen <= 4, $"{_smtp.MostOpen} connections at once");
        Assert.True(_smtp.Connections <= 8, $"{_smtp.Connections} connections");
    }

    [Fact]
    public async Task ConnectionClosedByTheServerWhileItRested_CostsNothing()
    {
        await Channel.SendAsync(Message("first"), Ct);
        _smtp.HangUp();
        Assert.IsType<MessageResult.Accepted>(await Channel.SendAsync(Message("second"), Ct));
        Assert.Equal(["first@clinic.example", "second@clinic.example"], _smtp.Taken.Select(mail => mail.Id));
    }

    [Fact]
    public async Task RestedConnections_AreClosed()
    {
        await Channel.SendAsync(Message("first"), Ct);
        Provider.Clock.Advance(TimeSpan.FromMinutes(1));
        await Channel.SendAsync(Message("second"), Ct);
        Assert.Equal(2, _smtp.Connections);
    }

    [Fact]
    public async Task Mail_IsWhatItWasGiven_InEveryPart()
    {
        var ics = Encoding.UTF8.GetBytes("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n");
        await Channel.SendAsync(
            Message() with
            {
                To = "Anna <anna@example.org>",
                Subject = "Ваш визит",
                Text = "Приём 5 мая.\n.\nВторая строка.",
                Html = "<p>Приём 5 мая.</p>",
                File = new("visit.ics", "text/calendar; method=PUBLISH; charset=utf-8", ics),
            },
            Ct);
        using var mail = Assert.Single(_smtp.Taken).Read();
        Assert.Equal("Ваш визит", mail.Subject);
        Assert.Equal("Приём 5 мая.\n.\nВторая строка.", mail.TextBody!.ReplaceLineEndings("\n").TrimEnd('\n'));
        Assert.Equal("<p>Приём 5 мая.</p>", mail.HtmlBody!.TrimEnd());
        Assert.Equal("\"Lindenhof Clinics\" <noreply@clinic.example>", mail.From.ToString());
        Assert.Equal("auto-generated", mail.Headers["Auto-Submitted"]);
        Assert.Equal("m1@clinic.example", mail.MessageId);
        var file = Assert.IsAssignableFrom<MimeKit.MimePart>(Assert.Single(mail.Attachments));
        Assert.Equal(("text/calendar", "PUBLISH", "visit.ics"), (file.ContentType.MimeType, file.ContentType.Parameters["method"], file.FileName));
        using var content = new MemoryStream();
        file.Content!.DecodeTo(content, Ct);
        Assert.Equal(ics, content.ToArray());
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("")]
    [InlineData("a@b.example\r\nBcc: c@d.example")]
    public async Task NoAddress_IsRefusedWithoutAConnection(string address)
    {
        Assert.Equal(MessageRefusal.BadAddress, Assert.IsType<MessageResult.Refused>(await Channel.SendAsync(Message() with { To = address }, Ct)).Why);
        Assert.Equal(0, _smtp.Connections);
    }
}
