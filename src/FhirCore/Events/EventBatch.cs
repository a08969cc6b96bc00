using System.Collections.Immutable;
using FhirCore.Records;

namespace FhirCore.Events;

/// <summary>Events of one lane in their order, and the write that says they are handled.</summary>
/// <param name="lane">Events of one type and partition always come by the same lane of a group, one batch after another.</param>
/// <param name="progress">
/// Written in the handler's own commit it makes the handler's effects happen exactly once: a second commit for the same events finds
/// the progress at another version and fails.
/// </param>
public sealed class EventBatch(string lane, ImmutableArray<ResourceEvent> events, RecordWrite progress)
{
    public string Lane => lane;

    public ImmutableArray<ResourceEvent> Events => events;

    public RecordWrite Progress => progress;

    /// <summary>The handler has committed <see cref="Progress"/>; where it has not, the log does so when the handler returns.</summary>
    public bool IsCommitted { get; private set; }

    /// <summary>To be called after the commit that held <see cref="Progress"/>.</summary>
    public void Committed() => IsCommitted = true;
}

/// <summary>Another process has taken the lane over: the progress stands elsewhere. Thrown by a handler whose commit found that out; the log asks again where it stands.</summary>
public sealed class LaneLostException(string lane) : Exception($"The lane {lane} is followed by another process.");
