using FhirCore.Records;
using FhirStore.Encryption;

namespace FhirStore.Caching;

/// <summary>Opens records that have just come from the engine; what was opened lately, and has not changed since, is not decrypted again.</summary>
/// <param name="recent">Null decrypts every time.</param>
internal sealed class RecordOpener(RecordCipher cipher, RecentResources? recent)
{
    /// <inheritdoc cref="RecordCipher.OpenAsync"/>
    public ValueTask<ReadOnlyMemory<byte>> OpenAsync(StoredRecord record, CancellationToken ct)
    {
        if (recent is null || !recent.TryOpen(record, out var json))
        {
            return cipher.OpenAsync(record, ct);
        }
        RecordCipher.CheckIndex(record);
        return new(json);
    }

    /// <summary>The resource that a search shows, which it may show again soon.</summary>
    public StoredResource Show(StoredRecord record, ReadOnlyMemory<byte> json)
    {
        var resource = new StoredResource(record.Key, record.Version, record.LastUpdated, false, json);
        recent?.Keep(record, resource);
        return resource;
    }
}
