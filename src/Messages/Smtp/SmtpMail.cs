using FhirCore.Messages;
using MimeKit;

namespace Messages.Smtp;

/// <summary>A message as an e-mail.</summary>
internal static class SmtpMail
{
    /// <returns>Null where the address is none.</returns>
    public static MimeMessage? Of(OutgoingMessage message, MailboxAddress from, TimeProvider clock)
    {
        if (!MailboxAddress.TryParse(message.To, out var to) || to.Domain.Length == 0)
        {
            return null;
        }
        to.Name = "";
        var mail = new MimeMessage { Subject = message.Subject, Date = clock.GetUtcNow() };
        mail.From.Add(from);
        mail.To.Add(to);
        // The same for every attempt: mail programs and servers show or keep one of several with one id.
        mail.MessageId = $"{message.Id}@{from.Domain}";
        mail.Headers.Add("Auto-Submitted", "auto-generated"); // RFC 3834: no out-of-office answers
        mail.Body = Body(message);
        return mail;
    }

    private static MimeEntity Body(OutgoingMessage message)
    {
        MimeEntity body = new TextPart("plain") { Text = message.Text };
        if (message.Html is { } html)
        {
            body = new MultipartAlternative { body, new TextPart("html") { Text = html } };
        }
        if (message.File is not { } file)
        {
            return body;
        }
        var part = new MimePart(ContentType.Parse(file.ContentType))
        {
            Content = new MimeContent(new MemoryStream(file.Content.ToArray())),
            ContentDisposition = new(ContentDisposition.Attachment) { FileName = file.Name },
            ContentTransferEncoding = ContentEncoding.Base64,
        };
        return new Multipart("mixed") { body, part };
    }
}
