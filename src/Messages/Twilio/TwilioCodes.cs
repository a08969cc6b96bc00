using FhirCore.Messages;

namespace Messages.Twilio;

/// <summary>Twilio's numbers in the port's words: of refusals, https://www.twilio.com/docs/api/errors, and of deliveries that failed.</summary>
internal static class TwilioCodes
{
    private static readonly TimeSpan QueueIsFull = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan OutsideHours = TimeSpan.FromHours(1);

    /// <returns>Null for a number that says nothing of this message.</returns>
    public static MessageResult? Of(int number)
    {
        var code = number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return number switch
        {
            21610 => new MessageResult.Refused(MessageRefusal.OptedOut, code),
            21211 or 21214 or 21217 or 21604 or 21614 or 30005 or 30006 => new MessageResult.Refused(MessageRefusal.BadAddress, code),
            21612 or 30003 or 30004 or 30008 or 30009 or 30410 => new MessageResult.Refused(MessageRefusal.Unreachable, code),
            // 30007: a carrier's filter; 30036: it waited longer than it is good for.
            21602 or 21617 or 21619 or 21623 or 30007 or 30019 or 30036 => new MessageResult.Refused(MessageRefusal.Content, code),
            // Account, sender, or countries that the account may not send to.
            20003 or 20008 or 21212 or 21266 or 21408 or 21603 or 21606 or 21659 or 21660 or 21703 or 30002 or 30034 => new MessageResult.Refused(MessageRefusal.Configuration, code),
            20429 => new MessageResult.Later(code, null),
            21611 or 30001 => new MessageResult.Later(code, QueueIsFull),
            30610 => new MessageResult.Later(code, OutsideHours),
            _ => null,
        };
    }

    /// <summary>What a state of a message means, https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks.</summary>
    /// <returns>Null while the message is on its way.</returns>
    public static MessageResult? OfStatus(string? status, int? error, string sid) => status switch
    {
        "delivered" or "read" => new MessageResult.Accepted(sid),
        "undelivered" or "failed" or "canceled" => error is { } number && Of(number) is { } known ? known : new MessageResult.Refused(MessageRefusal.Unreachable, error is null ? status : $"{error}"),
        _ => null,
    };
}
