using FhirCore.Records;

namespace FhirStore.Access;

/// <summary>Moved by every commit that writes a Consent: whoever keeps in memory what consents say learns from it that they have changed.</summary>
public static class ConsentStamp
{
    internal const string Name = "Consent";

    public static ValueTask<long> ReadAsync(IRecordStore store, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(store);
        return store.StampAsync(Name, ct);
    }
}
