using System.Diagnostics.CodeAnalysis;
using MimeKit;

namespace Messages.Smtp;

/// <summary>How e-mail is sent.</summary>
/// <param name="Port">465: TLS from the first byte. Any other: STARTTLS, which a server on another machine must offer.</param>
/// <param name="User">Null: without signing in.</param>
/// <param name="From">An address, with or without a name: <c>Clinic &lt;noreply@clinic.example&gt;</c>.</param>
public sealed record SmtpOptions(string Host, int Port, string? User, string? Password, string From)
{
    public const int StartTlsPort = 587;
    public const int TlsPort = 465;

    /// <summary>Most connections to the mail server at once.</summary>
    public int MaxConnections { get; init; } = 4;

    public static bool IsMailbox(string text) => TryParse(text, out _);

    internal MailboxAddress Mailbox => TryParse(From, out var mailbox) ? mailbox : throw new ArgumentException("No e-mail address.", nameof(From));

    /// <summary>A code in clear on a network is no secret; on this machine there is no network.</summary>
    internal bool IsThisMachine => Host is "localhost" or "127.0.0.1" or "::1";

    /// <summary>Without the password.</summary>
    public override string ToString() => $"{Host}:{Port}";

    private static bool TryParse(string text, [NotNullWhen(true)] out MailboxAddress? mailbox) => MailboxAddress.TryParse(text, out mailbox) && mailbox.Domain.Length > 0;
}
