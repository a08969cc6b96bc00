using Authorization.Accounts;
using FhirCore.Messages;
using FhirServer.Messages;
using FhirServer.Settings;
using Messages.Smtp;
using Messages.Twilio;
using Microsoft.Extensions.Configuration;
using StandIns;
using Subscriptions.Reminders;

namespace FhirServer.Tests.Messages;

public sealed class MessageSettingsTests
{
    [Theory]
    [InlineData("Smtp:From", "Smtp:Host=mail", "Smtp:From=nobody at all")]
    [InlineData("Smtp:From", "Smtp:Host=mail")]
    [InlineData("Smtp:Port", "Smtp:Host=mail", "Smtp:From=a@b.example", "Smtp:Port=0")]
    [InlineData("Smtp:Password", "Smtp:Host=mail", "Smtp:From=a@b.example", "Smtp:User=u")]
    [InlineData("Smtp:User", "Smtp:Host=mail", "Smtp:From=a@b.example", "Smtp:Password=p")]
    [InlineData("Smtp:MaxConnections", "Smtp:Host=mail", "Smtp:From=a@b.example", "Smtp:MaxConnections=0")]
    [InlineData("Smtp:Hots", "Smtp:Hots=mail")]
    [InlineData("Twilio:AuthToken", "Twilio:AccountSid=AC1", "Twilio:From=+1")]
    [InlineData("Twilio:BaseUrl", "Twilio:AccountSid=AC1", "Twilio:AuthToken=t", "Twilio:From=+1", "Twilio:BaseUrl=http://api.example")]
    [InlineData("Twilio:AccountSid", "Twilio:AccountSid=../x", "Twilio:AuthToken=t", "Twilio:From=+1")]
    [InlineData("Fcm:CredentialsFile", "Fcm:ProjectId=p")]
    [InlineData("Fcm:CredentialsFile", "Fcm:ProjectId=p", "Fcm:CredentialsFile=/no/such/file")]
    [InlineData("Fcm:BaseUrl", "Fcm:BaseUrl=ftp://x")]
    public void HalfAChannel_StopsTheStart_NamingTheKey(string key, params string[] settings)
    {
        var refusal = Assert.Throws<SettingsException>(() => Read([.. settings.Select(setting => (setting.Split('=')[0], setting.Split('=')[1]))]));
        Assert.StartsWith(key + ":", Assert.Single(refusal.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutSettings_AllAreOff_AndSecretsAreNotTold()
    {
        Assert.Equal(new(null, null, null), Read());
        var both = Read(
            ("Smtp:Host", "mail"), ("Smtp:From", "a@b.example"), ("Smtp:User", "u"), ("Smtp:Password", "hush-1"), ("Twilio:AccountSid", "AC1"), ("Twilio:AuthToken", "hush-2"), ("Twilio:From", "+1"));
        Assert.NotNull(both.Smtp);
        Assert.NotNull(both.Twilio);
        Assert.DoesNotContain("hush", both.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Reminders:Before:0", "soon")]
    [InlineData("Reminders:Before:0", "00:04:00")]
    [InlineData("Reminders:Before:1", "61.00:00:00")]
    [InlineData("Reminders:BeforeAtHighRisk:0", "3 days")]
    [InlineData("Reminders:QuietHours", "21-8")]
    [InlineData("Reminders:QuietHours", "08:00-07:00")]
    [InlineData("Reminders:Channels:0", "fax")]
    [InlineData("Reminders:Channels:0", "1")]
    [InlineData("Reminders:SmsPerDay", "-1")]
    [InlineData("Reminders:PhoneRegion", "XX")]
    [InlineData("Reminders:Language", "de")]
    [InlineData("Reminders:Templates", "/no/such/folder")]
    [InlineData("Reminders:Digest", "noon")]
    [InlineData("Reminders:Enabled", "perhaps")]
    [InlineData("Reminders:NoticeWithin", "8.00:00:00")]
    [InlineData("Reminders:Spacing", "2.00:00:00")]
    [InlineData("Reminders:MaxParallelSends", "0")]
    [InlineData("Reminders:Befor:0", "1.00:00:00")]
    public void WrongReminders_StopTheStart_NamingTheKey(string key, string value)
    {
        var refusal = Assert.Throws<SettingsException>(() => Reminders((key, value)));
        Assert.StartsWith(key + ":", Assert.Single(refusal.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Reminders_ByDefault_AreAsTheDesignSays()
    {
        var options = Reminders()!;
        Assert.Equal([TimeSpan.FromDays(7), TimeSpan.FromDays(1), TimeSpan.FromHours(2)], options.Before);
        Assert.Equal("21:00-08:00", options.Quiet.ToString());
        Assert.Equal([MessageChannelKind.Push, MessageChannelKind.Sms, MessageChannelKind.Email], options.Channels);
        Assert.Equal((1, 3), (options.Sms.PerDay, options.Sms.PerWeek));
        Assert.Equal("https://fhir.example.org/clinic/m/", options.LinkBase);
        Assert.Equal("Asia/Almaty", options.TimeZone);
    }

    [Fact]
    public void Reminders_CanBeTakenAway_PieceByPiece()
    {
        Assert.Null(Reminders(("Reminders:Enabled", "false")));
        var options = Reminders(("Reminders:Before", ""), ("Reminders:QuietHours", ""), ("Reminders:Digest", ""), ("Reminders:Channels:0", "email"))!;
        Assert.Empty(options.Before);
        Assert.Null(options.Quiet);
        Assert.Null(options.Digest);
        Assert.Equal([MessageChannelKind.Email], options.Channels);
        Assert.Equal([TimeSpan.FromHours(3), TimeSpan.FromDays(2)], Reminders(("Reminders:Before:0", "03:00:00"), ("Reminders:Before:1", "2.00:00:00"))!.Before);
    }

    /// <summary>Codes of sign-in go out by the same channels.</summary>
    [Fact]
    public async Task Codes_TakeTheSameWay_AndTellWhenTheyDoNotArrive()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var twilio = await TwilioStandIn.StartAsync();
        await using var smtp = SmtpStandIn.Start();
        var settings = Read([.. twilio.Settings.Concat(smtp.Settings).Select(setting => (setting.Key, setting.Value))]);
        using var sms = new TwilioChannel(settings.Twilio!, TimeProvider.System);
        using var mail = new SmtpChannel(settings.Smtp!, TimeProvider.System);
        var (bySms, byMail) = (new ChannelCodeSender(sms, ContactKind.Phone, TimeProvider.System), new ChannelCodeSender(mail, ContactKind.Email, TimeProvider.System));

        await bySms.SendAsync(new("+4915112345678", "Ваш код", "123456 – ваш код."), ct);
        await byMail.SendAsync(new("anna@example.org", "Ваш код", "123456 – ваш код.\nSecond line."), ct);

        Assert.Equal("123456 – ваш код.", Assert.Single(twilio.Messages).Body);
        var taken = Assert.Single(smtp.Taken);
        Assert.Equal(("Ваш код", "123456 – ваш код.\nSecond line."), (taken.Read().Subject, taken.Text.TrimEnd('\n')));
        twilio.Ends = (_, _) => new Ending.Refused(429);
        await Assert.ThrowsAsync<MessageNotTakenException>(() => bySms.SendAsync(new("+4915112345678", "", "x"), ct));
    }

    private static MessageSettings Read(params (string Key, string Value)[] settings) => MessageSettings.Read(Configuration(settings));

    private static ReminderOptions? Reminders(params (string Key, string Value)[] settings)
    {
        var server = ServerSettings.Read(Configuration(("Server:BaseUrl", "https://fhir.example.org/clinic/fhir")));
        return ReminderSettings.Read(Configuration(settings), server, "Asia/Almaty", new(null, null, null));
    }

    private static IConfiguration Configuration(params (string Key, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value))).Build();
}
