using FhirServer.Settings;
using MimeKit;

namespace FhirServer.Messages;

/// <summary>How e-mail is sent.</summary>
/// <param name="Port">465: TLS from the first byte. Any other: STARTTLS, which a server on another machine must offer.</param>
/// <param name="User">Null: without signing in.</param>
internal sealed record SmtpSettings(string Host, int Port, string? User, string? Password, MailboxAddress From)
{
    /// <summary>Without the password.</summary>
    public override string ToString() => $"{Host}:{Port}";
}

/// <summary>How SMS are sent, https://www.twilio.com/docs/messaging/api/message-resource.</summary>
/// <param name="BaseUrl">Ends in a slash.</param>
/// <param name="From">Number in E.164, or the id of a messaging service (<c>MG…</c>).</param>
internal sealed record TwilioSettings(Uri BaseUrl, string AccountSid, string AuthToken, string From)
{
    /// <summary>Without the token.</summary>
    public override string ToString() => BaseUrl.AbsoluteUri;
}

/// <summary>Channels that reach people. One without its settings is off.</summary>
internal sealed record MessageSettings(SmtpSettings? Smtp, TwilioSettings? Twilio)
{
    private const int StartTlsPort = 587;

    /// <exception cref="SettingsException">A value is wrong, or a channel is set up by half; the message names the key.</exception>
    public static MessageSettings Read(IConfiguration configuration)
    {
        var read = new SettingsReader(configuration);
        var settings = new MessageSettings(ReadSmtp(read), ReadTwilio(read));
        read.RefuseUnknownKeys("Smtp");
        read.RefuseUnknownKeys("Twilio");
        read.ThrowIfAny();
        return settings;
    }

    private static SmtpSettings? ReadSmtp(SettingsReader read)
    {
        var host = read.OptionalText("Smtp:Host");
        var port = (int)read.Number("Smtp:Port", StartTlsPort, 1, ushort.MaxValue);
        var user = read.OptionalText("Smtp:User");
        var password = read.OptionalText("Smtp:Password");
        var from = read.OptionalText("Smtp:From");
        if (host is null)
        {
            return null;
        }
        if (user is null != password is null)
        {
            read.Refuse(user is null ? "Smtp:User" : "Smtp:Password", "User and Password come together");
        }
        if (from is null || !MailboxAddress.TryParse(from, out var mailbox))
        {
            read.Refuse("Smtp:From", "must be an e-mail address, such as Clinic <noreply@clinic.example>");
            return null;
        }
        return new(host, port, user, password, mailbox);
    }

    private static TwilioSettings? ReadTwilio(SettingsReader read)
    {
        var address = read.Text("Twilio:BaseUrl", "https://api.twilio.com/").TrimEnd('/') + "/";
        var account = read.OptionalText("Twilio:AccountSid");
        var token = read.OptionalText("Twilio:AuthToken");
        var from = read.OptionalText("Twilio:From");
        if (account is null && token is null && from is null)
        {
            return null;
        }
        foreach (var (key, value) in new[] { ("Twilio:AccountSid", account), ("Twilio:AuthToken", token), ("Twilio:From", from) })
        {
            if (value is null)
            {
                read.Refuse(key, "missing: AccountSid, AuthToken and From come together");
            }
        }
        // Over plain http the token could be read on the way; a stand-in on this machine is no way.
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || !(url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)))
        {
            read.Refuse("Twilio:BaseUrl", "must be an https address");
            return null;
        }
        if (account?.All(char.IsAsciiLetterOrDigit) == false)
        {
            read.Refuse("Twilio:AccountSid", "must be letters and digits");
        }
        return account is null || token is null || from is null ? null : new(url, account, token, from);
    }
}
