using System.Collections.Concurrent;
using FhirCore.Auditing;

namespace Authorization.Tests.Trail;

/// <summary>Keeps what is put on record, or cannot.</summary>
public sealed class RecordingTrail : ISecurityTrail
{
    private readonly ConcurrentQueue<SecurityEvent> _kept = new();

    /// <summary>Nothing can be stored.</summary>
    public bool IsStuck { get; set; }

    public IReadOnlyList<SecurityEvent> All => [.. _kept];

    public SecurityEvent Last => _kept.Last();

    public void Forget() => _kept.Clear();

    /// <summary>Kind and detail of each, in their order.</summary>
    public IReadOnlyList<string> Told => [.. _kept.Select(one => $"{one.Kind} {one.Detail}{(one.Succeeded ? "" : " refused")}".Trim())];

    public ValueTask<bool> RecordAsync(SecurityEvent happened, CancellationToken ct)
    {
        if (!IsStuck)
        {
            _kept.Enqueue(happened);
        }
        return new(!IsStuck);
    }
}
