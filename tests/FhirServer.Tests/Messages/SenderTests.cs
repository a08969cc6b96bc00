using System.Net;
using System.Net.Sockets;
using System.Text;
using Authorization.Accounts;
using FhirServer.Messages;
using FhirServer.Settings;
using Microsoft.Extensions.Configuration;
using Tests.Shared;

namespace FhirServer.Tests.Messages;

public sealed class SenderTests
{
    private static readonly CodeMessage Message = new("anna@example.org", "Ваш код", "123456 – ваш код.\nSecond line.");

    [Fact]
    public async Task Smtp_DeliversWhatItWasGiven()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var transcript = ServeMailAsync(listener);
        var settings = Read(("Smtp:Host", "127.0.0.1"), ("Smtp:Port", Port(listener)), ("Smtp:From", "Clinic <noreply@clinic.example>")).Smtp!;

        await new SmtpSender(settings).SendAsync(Message, TestContext.Current.CancellationToken);

        var said = await transcript;
        Assert.Contains("MAIL FROM:<noreply@clinic.example>", said, StringComparison.Ordinal);
        Assert.Contains("RCPT TO:<anna@example.org>", said, StringComparison.Ordinal);
        Assert.Contains("Auto-Submitted: auto-generated", said, StringComparison.Ordinal);
        Assert.DoesNotContain("AUTH", said, StringComparison.Ordinal);
        using var mail = MimeKit.MimeMessage.Load(new MemoryStream(Encoding.UTF8.GetBytes(said[said.IndexOf("From: ", StringComparison.Ordinal)..said.IndexOf("(end)", StringComparison.Ordinal)])));
        Assert.Equal(Message.Subject, mail.Subject);
        Assert.Equal(Message.Text, mail.TextBody!.ReplaceLineEndings("\n").TrimEnd('\n'));
    }

    [Fact]
    public async Task Smtp_OfAnotherMachine_IsNotUsedInClear()
    {
        // An address of this machine that the sender does not know as such stands for another machine.
        using var listener = new TcpListener(IPAddress.Parse("127.0.0.2"), 0);
        listener.Start();
        var transcript = ServeMailAsync(listener);
        var settings = Read(("Smtp:Host", "127.0.0.2"), ("Smtp:Port", Port(listener)), ("Smtp:From", "noreply@clinic.example")).Smtp!;

        await Assert.ThrowsAsync<NotSupportedException>(() => new SmtpSender(settings).SendAsync(Message, TestContext.Current.CancellationToken));

        Assert.DoesNotContain("MAIL FROM", await transcript, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Twilio_GetsTheFormOfItsApi()
    {
        using var listener = new HttpListener();
        var port = FreePort.Draw();
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        var settings = Read(("Twilio:BaseUrl", $"http://127.0.0.1:{port}"), ("Twilio:AccountSid", "AC123"), ("Twilio:AuthToken", "t0ken"), ("Twilio:From", "+15550100")).Twilio!;
        using var sender = new TwilioSender(settings);
        foreach (var status in new[] { 201, 429 })
        {
            var sending = sender.SendAsync(Message with { To = "+4915112345678" }, TestContext.Current.CancellationToken);
            var request = await listener.GetContextAsync();
            var form = await new StreamReader(request.Request.InputStream).ReadToEndAsync();
            request.Response.StatusCode = status;
            request.Response.Close();

            Assert.Equal("/2010-04-01/Accounts/AC123/Messages.json", request.Request.RawUrl);
            Assert.Equal("Basic " + Convert.ToBase64String("AC123:t0ken"u8), request.Request.Headers["Authorization"]);
            Assert.StartsWith("To=%2B4915112345678&From=%2B15550100&Body=123456+", form, StringComparison.Ordinal);
            if (status == 201)
            {
                await sending;
            }
            else
            {
                await Assert.ThrowsAsync<HttpRequestException>(() => sending);
            }
        }
    }

    [Theory]
    [InlineData("Smtp:From", "Smtp:Host=mail", "Smtp:From=nobody at all")]
    [InlineData("Smtp:From", "Smtp:Host=mail")]
    [InlineData("Smtp:Port", "Smtp:Host=mail", "Smtp:From=a@b.example", "Smtp:Port=0")]
    [InlineData("Smtp:Password", "Smtp:Host=mail", "Smtp:From=a@b.example", "Smtp:User=u")]
    [InlineData("Smtp:User", "Smtp:Host=mail", "Smtp:From=a@b.example", "Smtp:Password=p")]
    [InlineData("Smtp:Hots", "Smtp:Hots=mail")]
    [InlineData("Twilio:AuthToken", "Twilio:AccountSid=AC1", "Twilio:From=+1")]
    [InlineData("Twilio:BaseUrl", "Twilio:AccountSid=AC1", "Twilio:AuthToken=t", "Twilio:From=+1", "Twilio:BaseUrl=http://api.example")]
    [InlineData("Twilio:AccountSid", "Twilio:AccountSid=../x", "Twilio:AuthToken=t", "Twilio:From=+1")]
    public void HalfAChannel_StopsTheStart_NamingTheKey(string key, params string[] settings)
    {
        var refusal = Assert.Throws<SettingsException>(() => Read([.. settings.Select(setting => (setting.Split('=')[0], setting.Split('=')[1]))]));
        Assert.StartsWith(key + ":", Assert.Single(refusal.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutSettings_BothAreOff_AndSecretsAreNotTold()
    {
        Assert.Equal(new(null, null), Read());
        var both = Read(
            ("Smtp:Host", "mail"), ("Smtp:From", "a@b.example"), ("Smtp:User", "u"), ("Smtp:Password", "hush-1"), ("Twilio:AccountSid", "AC1"), ("Twilio:AuthToken", "hush-2"), ("Twilio:From", "+1"));
        Assert.NotNull(both.Smtp);
        Assert.NotNull(both.Twilio);
        Assert.DoesNotContain("hush", both.ToString(), StringComparison.Ordinal);
    }

    private static string Port(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static MessageSettings Read(params (string Key, string Value)[] settings) => MessageSettings.Read(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value))).Build());

    /// <summary>As little of a mail server as one message needs: RFC 5321, without STARTTLS.</summary>
    private static async Task<string> ServeMailAsync(TcpListener listener)
    {
        var said = new StringBuilder();
        try
        {
            using var client = await listener.AcceptTcpClientAsync();
            using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
            await using var writer = new StreamWriter(client.GetStream(), new UTF8Encoding(false)) { NewLine = "\r\n", AutoFlush = true };
            await writer.WriteLineAsync("220 mail.example");
            while (await reader.ReadLineAsync() is { } line)
            {
                said.AppendLine(line);
                switch (line.Split(' ')[0])
                {
                    case "EHLO":
                        await writer.WriteLineAsync("250-mail.example\r\n250 8BITMIME");
                        break;
                    case "DATA":
                        await writer.WriteLineAsync("354 go on");
                        while (await reader.ReadLineAsync() is { } data && data != ".")
                        {
                            said.AppendLine(data);
                        }
                        said.AppendLine("(end)");
                        await writer.WriteLineAsync("250 taken");
                        break;
                    case "QUIT":
                        await writer.WriteLineAsync("221 bye");
                        return said.ToString();
                    default:
                        await writer.WriteLineAsync("250 ok");
                        break;
                }
            }
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            // The listener was stopped, or the sender has gone: what was said is said.
        }
        return said.ToString();
    }
}
