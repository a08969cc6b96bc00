namespace Subscriptions;

/// <summary>Told what becomes of events on their way to subscribers: counts and times, never whom or what they concern.</summary>
public interface ISubscriptionObserver
{
    /// <param name="events">Events numbered in one commit, of all subscriptions.</param>
    void Matched(int events);

    /// <summary>A trigger could not be evaluated.</summary>
    /// <param name="topic">Canonical url of the topic.</param>
    void TriggerFailed(string topic, string fault);

    /// <summary>An endpoint has taken a notification.</summary>
    /// <param name="age">Of its oldest event; zero for handshakes and heartbeats.</param>
    void Delivered(string channel, int events, TimeSpan age);

    /// <summary>An attempt has failed and is made again, or the subscription has gone into error.</summary>
    /// <param name="problem">Such as <c>http-503</c>.</param>
    void Failed(string channel, string problem, bool final);

    /// <summary>Events were set aside that an endpoint would not take.</summary>
    void SetAside(string channel, int events);

    /// <summary>Something of ours went wrong with one subscription; it is tried again.</summary>
    void Faulted(Exception why);
}
