using FhirCore;
using FhirCore.Records;

namespace FhirStore.Encryption;

/// <summary>Seals bodies before they reach an engine and opens them after. Every body is bound to its identity and version.</summary>
public sealed class RecordCipher
{
    /// <param name="subject">Opaque id of the patient whose data this is; null for the tenant's own data.</param>
    /// <param name="keyWrites">Receives the record of a data key made for a new subject; it must go into the same commit.</param>
    public ValueTask<ReadOnlyMemory<byte>> SealAsync(
        ResourceKey key, long version, DateTimeOffset lastUpdated, string? subject, ReadOnlyMemory<byte> plain, ICollection<RecordWrite> keyWrites, CancellationToken ct) =>
        throw new NotImplementedException();

    /// <exception cref="StoreCorruptException">The body was altered, or belongs to another record or version.</exception>
    public ValueTask<ReadOnlyMemory<byte>> OpenAsync(StoredRecord record, CancellationToken ct) => throw new NotImplementedException();
}
