using FhirServer.Settings;
using Messages.Fcm;
using Messages.Smtp;
using Messages.Twilio;

namespace FhirServer.Messages;

/// <summary>Channels that reach people. One without its settings is off.</summary>
internal sealed record MessageSettings(SmtpOptions? Smtp, TwilioOptions? Twilio, FcmOptions? Fcm)
{
    /// <exception cref="SettingsException">A value is wrong, or a channel is set up by half; the message names the key.</exception>
    public static MessageSettings Read(IConfiguration configuration)
    {
        var read = new SettingsReader(configuration);
        var settings = new MessageSettings(ReadSmtp(read), ReadTwilio(read), ReadFcm(read));
        foreach (var section in (string[])["Smtp", "Twilio", "Fcm"])
        {
            read.RefuseUnknownKeys(section);
        }
        read.ThrowIfAny();
        return settings;
    }

    private static SmtpOptions? ReadSmtp(SettingsReader read)
    {
        var host = read.OptionalText("Smtp:Host");
        var port = (int)read.Number("Smtp:Port", SmtpOptions.StartTlsPort, 1, ushort.MaxValue);
        var user = read.OptionalText("Smtp:User");
        var password = read.OptionalText("Smtp:Password");
        var from = read.OptionalText("Smtp:From");
        var connections = (int)read.Number("Smtp:MaxConnections", 4, 1, 100);
        if (host is null)
        {
            return null;
        }
        if (user is null != password is null)
        {
            read.Refuse(user is null ? "Smtp:User" : "Smtp:Password", "User and Password come together");
        }
        if (from is null || !SmtpOptions.IsMailbox(from))
        {
            read.Refuse("Smtp:From", "must be an e-mail address, such as Clinic <noreply@clinic.example>");
            return null;
        }
        return new(host, port, user, password, from) { MaxConnections = connections };
    }

    private static TwilioOptions? ReadTwilio(SettingsReader read)
    {
        var url = ReadAddress(read, "Twilio:BaseUrl", "https://api.twilio.com/");
        var account = read.OptionalText("Twilio:AccountSid");
        var token = read.OptionalText("Twilio:AuthToken");
        var from = read.OptionalText("Twilio:From");
        if (account is null && token is null && from is null)
        {
            return null;
        }
        RefuseMissing(read, "AccountSid, AuthToken and From come together", ("Twilio:AccountSid", account), ("Twilio:AuthToken", token), ("Twilio:From", from));
        if (account?.All(char.IsAsciiLetterOrDigit) == false)
        {
            read.Refuse("Twilio:AccountSid", "must be letters and digits");
        }
        return url is null || account is null || token is null || from is null ? null : new(url, account, token, from);
    }

    private static FcmOptions? ReadFcm(SettingsReader read)
    {
        var url = ReadAddress(read, "Fcm:BaseUrl", "https://fcm.googleapis.com/");
        var project = read.OptionalText("Fcm:ProjectId");
        var file = read.OptionalText("Fcm:CredentialsFile");
        if (project is null && file is null)
        {
            return null;
        }
        RefuseMissing(read, "ProjectId and CredentialsFile come together", ("Fcm:ProjectId", project), ("Fcm:CredentialsFile", file));
        if (file is not null && FcmChannel.WhyUnusable(file) is { } why)
        {
            read.Refuse("Fcm:CredentialsFile", why);
        }
        return url is null || project is null || file is null ? null : new(url, project, file);
    }

    private static void RefuseMissing(SettingsReader read, string rule, params ReadOnlySpan<(string Key, string? Value)> values)
    {
        foreach (var (key, value) in values)
        {
            if (value is null)
            {
                read.Refuse(key, $"missing: {rule}");
            }
        }
    }

    /// <summary>Over plain http credentials could be read on the way; a stand-in on this machine is no way.</summary>
    private static Uri? ReadAddress(SettingsReader read, string key, string fallback)
    {
        var address = read.Text(key, fallback).TrimEnd('/') + "/";
        if (Uri.TryCreate(address, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)))
        {
            return url;
        }
        read.Refuse(key, "must be an https address");
        return null;
    }
}
