using Authorization.Accounts;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace FhirServer.Messages;

/// <summary>Sends by SMTP, one connection a message: codes are rare, and a connection kept open is one that has died when it is needed.</summary>
internal sealed class SmtpSender(SmtpSettings settings) : ICodeSender
{
    private const int TlsPort = 465;

    public ContactKind Kind => ContactKind.Email;

    public async Task SendAsync(CodeMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);
        using var mail = new MimeMessage();
        mail.From.Add(settings.From);
        mail.To.Add(new MailboxAddress("", message.To));
        mail.Subject = message.Subject;
        mail.Headers.Add("Auto-Submitted", "auto-generated"); // RFC 3834: no out-of-office answers
        mail.Body = new TextPart("plain") { Text = message.Text };
        using var client = new SmtpClient();
        await client.ConnectAsync(settings.Host, settings.Port, Security(), ct);
        if (settings is { User: { } user, Password: { } password })
        {
            await client.AuthenticateAsync(user, password, ct);
        }
        await client.SendAsync(mail, ct);
        await client.DisconnectAsync(quit: true, ct);
    }

    /// <summary>A code in clear on a network is no secret; on this machine there is no network.</summary>
    private SecureSocketOptions Security() =>
        settings.Port == TlsPort ? SecureSocketOptions.SslOnConnect
        : settings.Host is "localhost" or "127.0.0.1" or "::1" ? SecureSocketOptions.StartTlsWhenAvailable
        : SecureSocketOptions.StartTls;
}
