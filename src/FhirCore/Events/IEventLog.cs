namespace FhirCore.Events;

/// <summary>
/// What happened to resources, for whoever must learn of it: each event at least once, those of one resource type and one partition (a
/// patient, a schedule) in order. A group that dies goes on where it committed. Every implementation passes <c>EventLogContract</c>.
/// </summary>
public interface IEventLog
{
    /// <summary>
    /// Follows as a member of the group until cancelled, then returns. Members in several processes share the lanes; a lane has one
    /// follower at a time, but for a moment in which one that is late to stop finds that its commits no longer succeed.
    /// Engine trouble is waited out. Events that a handler cannot take are set aside (<see cref="DeadEvent"/>) and the lane goes on.
    /// </summary>
    Task FollowAsync(EventGroup group, IEventHandler handler, CancellationToken ct);

    /// <returns>How far the group is behind, lane by lane, as far as this process can tell.</returns>
    ValueTask<IReadOnlyList<LaneLag>> LagAsync(string group, CancellationToken ct);
}

/// <summary>Takes events.</summary>
public interface IEventHandler
{
    /// <summary>
    /// Called for one batch of a lane at a time; lanes run side by side. A batch is given again after a crash, or after this threw, unless
    /// its progress was committed. What throws is given event by event, and the event that throws again and again is set aside, but for
    /// <see cref="Records.StoreUnavailableException"/>: that is waited out for as long as it takes, so throw it where an engine is away.
    /// </summary>
    /// <exception cref="LaneLostException">The commit with the batch's progress found it at another version.</exception>
    Task HandleAsync(EventBatch batch, CancellationToken ct);
}

/// <param name="Events">Changes that were not yet handled, of all types.</param>
/// <param name="Behind">Age of the oldest of them; zero where there is none.</param>
public sealed record LaneLag(string Lane, long Events, TimeSpan Behind);

/// <summary>An event that no attempt could handle.</summary>
/// <param name="Why">Type of the exception, no content.</param>
public sealed record DeadEvent(string Group, string Lane, ResourceEvent Event, string Why);
