using System.ComponentModel.DataAnnotations;
using FhirCore.Outbound;

namespace Subscriptions;

/// <summary>Section <c>Subscriptions</c>.</summary>
public sealed class SubscriptionOptions : IValidatableObject
{
    /// <summary><c>host:port</c> (also over plain http) or a network that a rest-hook may reach although it is private.</summary>
    public IList<string> AllowedPrivateEndpoints { get; init; } = [];

    /// <summary>Longest wait for an endpoint's answer; <c>backport-timeout</c> can shorten it.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Pause after the first failed attempt; it doubles with each.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "01:00:00")]
    public TimeSpan FirstRetry { get; set; } = TimeSpan.FromSeconds(1);

    [Range(typeof(TimeSpan), "00:00:00.100", "1.00:00:00")]
    public TimeSpan LongestRetry { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long an endpoint may fail before the subscription's status becomes error.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromDays(3);

    /// <summary>How long a subscription in status error goes on counting before it is turned off.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan ErrorFor { get; set; } = TimeSpan.FromDays(14);

    /// <summary>How long events can be fetched with <c>$events</c> and sent again with <c>$resend</c>.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00")]
    public TimeSpan KeepEvents { get; set; } = TimeSpan.FromDays(14);

    /// <summary>Most events in a notification; <c>backport-max-count</c> can lower it.</summary>
    [Range(1, 1000)]
    public int MaxBatch { get; set; } = 100;

    /// <summary>Shortest <c>backport-heartbeat-period</c>.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan LeastHeartbeat { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most subscriptions, those turned off aside, of one client or of one account with one app; 0: no limit.</summary>
    [Range(0, 1_000_000)]
    public int PerSubscriber { get; set; } = 500;

    /// <summary>Shortest time between two e-mails for one subscription: what happens meanwhile is told together.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan EmailInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether whole resources may be attached to e-mails, which anybody on the way can read.</summary>
    public bool EmailFullResource { get; set; }

    /// <summary>Whether whole resources may go to Kafka, where they lie readable for as long as the topic keeps them: no erasure reaches them there.</summary>
    public bool KafkaFullResource { get; set; }

    /// <summary>How long a token of <c>$get-ws-binding-token</c> is good.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "00:10:00")]
    public TimeSpan BindingTokenLifetime { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Most websockets of a process.</summary>
    [Range(0, 100_000)]
    public int MaxSockets { get; set; } = 1_000;

    /// <summary><see cref="AllowedPrivateEndpoints"/>, which have been validated.</summary>
    public AllowedEndpoints ReadAllowed() => AllowedEndpoints.TryParse(AllowedPrivateEndpoints, out var allowed, out _) ? allowed : AllowedEndpoints.None;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!AllowedEndpoints.TryParse(AllowedPrivateEndpoints, out _, out var wrong))
        {
            yield return new($"Subscriptions:AllowedPrivateEndpoints: '{wrong}' is neither host:port nor a network such as 10.1.0.0/16.", [nameof(AllowedPrivateEndpoints)]);
        }
        if (LongestRetry < FirstRetry)
        {
            yield return new("Subscriptions:LongestRetry must not be shorter than Subscriptions:FirstRetry.", [nameof(LongestRetry)]);
        }
    }
}
