using FhirCore.Records;

namespace FhirCore.Events;

/// <summary>One version of one resource, as it came to be: what is told to everyone who follows changes.</summary>
/// <param name="Change">Identity, time, partition and cause. Its sequence orders events of one partition.</param>
/// <param name="Version">
/// The version as stored, its body sealed under the patient's key, without index entries. Null where it is gone, because its patient was erased.
/// </param>
public sealed record ResourceEvent(ChangeRow Change, StoredRecord? Version)
{
    /// <summary>The same however often the event is told: <c>Type/id/version</c>.</summary>
    public string Id => $"{Change.Key}/{Change.Version}";
}
