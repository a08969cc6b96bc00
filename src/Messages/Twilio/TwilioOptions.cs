namespace Messages.Twilio;

/// <summary>How SMS are sent, https://www.twilio.com/docs/messaging/api/message-resource.</summary>
/// <param name="BaseUrl">Ends in a slash.</param>
/// <param name="From">Number in E.164, the id of a messaging service (<c>MG…</c>), or a name of letters, to which nobody can reply.</param>
public sealed record TwilioOptions(Uri BaseUrl, string AccountSid, string AuthToken, string From)
{
    /// <summary>Told what becomes of each message, with the message's id as parameter <see cref="TwilioWebhook.MessageParameter"/>. Null: nobody is.</summary>
    public Uri? StatusCallback { get; init; }

    /// <summary>People can answer what they get.</summary>
    public bool TakesReplies => From.StartsWith('+') || From.StartsWith("MG", StringComparison.Ordinal) || From.All(char.IsAsciiDigit);

    /// <summary>Without the token.</summary>
    public override string ToString() => BaseUrl.AbsoluteUri;
}
