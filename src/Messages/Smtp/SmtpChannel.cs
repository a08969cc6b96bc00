using System.Globalization;
using System.Net.Sockets;
using FhirCore.Messages;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Messages.Smtp;

/// <summary>E-mail by SMTP, RFC 5321. The mail server takes a message or not; whether it has arrived nobody tells.</summary>
public sealed class SmtpChannel : IMessageChannel, IDisposable
{
    /// <summary>RFC 5321, 4.5.4.1: what was put off is not tried again before that.</summary>
    private static readonly TimeSpan PutOff = TimeSpan.FromMinutes(30);

    private readonly MailboxAddress _from;
    private readonly TimeProvider _clock;
    private readonly SmtpConnections _connections;

    public SmtpChannel(SmtpOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_from, _clock, _connections) = (options.Mailbox, clock, new(options, clock));
    }

    public MessageChannelKind Kind => MessageChannelKind.Email;

    public bool Remembers => false;

    public async Task<MessageResult> SendAsync(OutgoingMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(message);
        using var mail = SmtpMail.Of(message, _from, _clock);
        if (mail is null)
        {
            return new MessageResult.Refused(MessageRefusal.BadAddress, "address");
        }
        var progress = new Progress();
        return await Attempt.RunAsync(
            token => SendAsync(mail, progress, token),
            () => progress.IsWhole ? new MessageResult.Unknown(Attempt.TimedOut) : new MessageResult.Later(Attempt.TimedOut, null), _clock, ct).ConfigureAwait(false);
    }

    public Task<MessageResult> FindAsync(OutgoingMessage message, DateTimeOffset since, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return Task.FromResult<MessageResult>(new MessageResult.Unknown("smtp"));
    }

    public void Dispose() => _connections.Dispose();

    private async Task<MessageResult> SendAsync(MimeMessage mail, Progress progress, CancellationToken ct)
    {
        SmtpConnections.Connection? mine = null;
        try
        {
            var connection = mine = await _connections.RentAsync(ct).ConfigureAwait(false);
            while (true)
            {
                try
                {
                    await connection.Client.SendAsync(mail, ct, progress).ConfigureAwait(false);
                    connection.Messages++;
                    mine = null;
                    _connections.Return(connection);
                    return new MessageResult.Accepted(mail.MessageId);
                }
                catch (Exception error) when (connection.Messages > 0 && !progress.HasBegun && IsClosed(error) && !ct.IsCancellationRequested)
                {
                    // The server closed it while it rested, before it could read a word of this message.
                    mine = null;
                    connection = mine = await _connections.RenewAsync(connection, ct).ConfigureAwait(false);
                }
            }
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return Describe(error, progress, mine);
        }
        finally
        {
            if (mine is not null)
            {
                _connections.Drop(mine); // in the middle of a dialogue
            }
        }
    }

    private static bool IsClosed(Exception error) => error is IOException or SmtpProtocolException or SocketException or ServiceNotConnectedException;

    private static MessageResult Describe(Exception error, Progress progress, SmtpConnections.Connection? mine) => error switch
    {
        SmtpCommandException refused => OfCode((int)refused.StatusCode, refused.ErrorCode, refused.Message),
        AuthenticationException or ServiceNotAuthenticatedException => new MessageResult.Refused(MessageRefusal.Configuration, "authentication"),
        NotSupportedException => new MessageResult.Refused(MessageRefusal.Configuration, "starttls"),
        // Between the last byte of the message and the server's word it may have been taken.
        _ when IsClosed(error) && progress.IsWhole => new MessageResult.Unknown(Attempt.Lost),
        SslHandshakeException => new MessageResult.Later(Attempt.NoConnection, null),
        _ when IsClosed(error) => new MessageResult.Later(Attempt.NoConnection, null),
        _ when mine is null => new MessageResult.Later(error.GetType().Name, null), // no connection yet: the message cannot be why
        _ => new MessageResult.Refused(MessageRefusal.Content, error.GetType().Name),
    };

    /// <param name="text">What the server said behind the code; begins with an enhanced code (RFC 3463) where it has one.</param>
    private static MessageResult OfCode(int status, SmtpErrorCode what, string text)
    {
        var code = status.ToString(CultureInfo.InvariantCulture);
        if (status is >= 400 and < 500)
        {
            return new MessageResult.Later(code, status == 421 ? null : PutOff);
        }
        var enhanced = text.Length > 3 && text[0] == '5' && text[1] == '.' ? text[2] : ' ';
        return new MessageResult.Refused((enhanced, what) switch
        {
            ('1', SmtpErrorCode.RecipientNotAccepted) => MessageRefusal.BadAddress,
            ('2', _) => MessageRefusal.Unreachable, // mailbox full or not in use for now
            ('7', SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted) => MessageRefusal.Content, // somebody's policy
            (_, SmtpErrorCode.RecipientNotAccepted) => status is 550 or 551 or 553 ? MessageRefusal.BadAddress : status == 552 ? MessageRefusal.Unreachable : MessageRefusal.Configuration,
            (_, SmtpErrorCode.MessageNotAccepted) => MessageRefusal.Content,
            _ => MessageRefusal.Configuration, // of the sender, or before anything was said of this message
        }, code);
    }

    /// <summary>How much of a message has gone out.</summary>
    private sealed class Progress : ITransferProgress
    {
        public bool HasBegun { get; private set; }

        public bool IsWhole { get; private set; }

        public void Report(long bytesTransferred, long totalSize)
        {
            HasBegun = true;
            IsWhole |= bytesTransferred >= totalSize;
        }

        public void Report(long bytesTransferred) => HasBegun = true;
    }
}
