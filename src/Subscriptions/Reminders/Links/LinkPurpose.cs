namespace Subscriptions.Reminders.Links;

/// <summary>What may be done by a link. Its secret is made from it: one for confirming never cancels.</summary>
public enum LinkPurpose
{
    /// <summary>The one link of a short message: shows the visit and offers everything that an answer could ask for.</summary>
    Visit,
    Confirm,
    Cancel,
    Reschedule,
}
