namespace FhirCore.Events;

/// <summary>Told what becomes of events on their way to a handler.</summary>
public interface IEventObserver
{
    /// <summary>This process follows as a member of the group from now on.</summary>
    void Follows(string group)
    {
    }

    /// <param name="oldest">Age of the first of them.</param>
    void Handled(string group, int events, TimeSpan oldest);

    /// <summary>It is tried again.</summary>
    void Failed(string group, string lane, Exception why);

    void SetAside(DeadEvent dead);
}
