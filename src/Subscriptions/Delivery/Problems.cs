using System.Globalization;

namespace Subscriptions.Delivery;

/// <summary>What is wrong, in words for whoever looks after the subscription: no address, no content.</summary>
internal static class Problems
{
    public const string TopicGone = "topic-gone";
    public const string AccessEnded = "access-ended";
    public const string ContentRefused = "content-refused";
    public const string Ended = "ended";
    public const string TooLongInError = "too-long-in-error";

    public static string TextOf(string problem) => problem switch
    {
        "timeout" => "The endpoint did not answer in time.",
        "no-connection" => "The endpoint could not be connected to.",
        "name-not-found" => "The host of the endpoint was not found.",
        "address-not-allowed" => "The host of the endpoint has no address that may be connected to: it is private.",
        "tls" => "No secure connection could be made: the endpoint's certificate is not trusted, or TLS 1.2 is not spoken.",
        "mail-later" or "mail-unknown" or "mail-refused" => "The e-mail could not be handed over.",
        "mail-content-refused" => "The mail server refuses the message.",
        "mail-no-such-address" => "There is no such mailbox.",
        "mail-opted-out" => "The receiver wants no more messages.",
        "stream-away" => "The stream could not be written to.",
        TopicGone => "The topic is gone, or is not as the filters need it any more.",
        AccessEnded => "The access that the subscription was made with has ended; send it again with one that stands.",
        ContentRefused => "The endpoint refuses one notification after another for what is in it.",
        Ended => "The end of the subscription has come.",
        TooLongInError => "It was in error for too long.",
        _ when problem.StartsWith("http-3", StringComparison.Ordinal) => $"The endpoint answered {problem[5..]}; redirects are not followed.",
        _ when problem.StartsWith("http-", StringComparison.Ordinal) => $"The endpoint answered {problem[5..]}.",
        _ => "Notifications could not be delivered.",
    };

    /// <returns>Code of http://terminology.hl7.org/CodeSystem/subscription-error; null where none fits.</returns>
    public static string? CodeOf(string problem) => problem switch
    {
        "timeout" or "no-connection" or "name-not-found" or "tls" or "address-not-allowed" => "no-response",
        _ when problem.StartsWith("http-", StringComparison.Ordinal) => "error-response",
        _ => null,
    };

    /// <summary>What <c>$status</c> says beside the status.</summary>
    public static IReadOnlyList<NotificationError> Of(Feeds.Feed? feed, Feeds.DeliveryState? state)
    {
        var errors = new List<NotificationError>();
        if (state?.Problem is { } problem)
        {
            errors.Add(new(CodeOf(problem), state.FailingSince is { } since
                ? string.Create(CultureInfo.InvariantCulture, $"{TextOf(problem)} Failing since {since:yyyy-MM-dd'T'HH:mm:ss'Z'}, {state.Attempts} attempts.")
                : TextOf(problem)));
        }
        foreach (var letter in state?.DeadLetters ?? [])
        {
            errors.Add(new(CodeOf(letter.Problem), string.Create(CultureInfo.InvariantCulture, $"Events {letter.First} to {letter.Last} were not delivered ({letter.Problem}): get them with $events or $resend.")));
        }
        switch (feed?.Fault)
        {
            case Feeds.FeedFaults.Topic:
                errors.Add(new(null, TextOf(TopicGone)));
                break;
            case Feeds.FeedFaults.Access:
                errors.Add(new(null, TextOf(AccessEnded)));
                break;
            case Feeds.FeedFaults.Trigger:
                errors.Add(new(null, "A trigger of the topic could not be evaluated on some resource; it counted as not fulfilled."));
                break;
            default:
                break;
        }
        return errors;
    }
}
