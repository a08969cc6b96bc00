namespace FhirCore.Records;

/// <summary>
/// Told of writes by an engine that only this process writes to: after they can be read, before their callers learn of them. So whoever
/// keeps what it has read, and lets it go when told, never shows anything older than an acknowledged commit.
/// </summary>
public interface IWriteListener
{
    void Written(ResourceKey key);

    /// <summary>What was written is not known: a write failed, or rows were put in past the commits.</summary>
    void AnythingWritten();
}
