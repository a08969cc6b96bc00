using FhirCore;

namespace FhirStore.Encryption;

public sealed class StoreKeysOptions
{
    /// <summary>Bound to everything that is sealed: 1 to 64 of A-Z, a-z, 0-9, '-' and '.'. Never change it for a database that exists.</summary>
    public string Tenant { get; set; } = "default";

    /// <summary>Longest time that an unwrapped key stays in memory, 1 second to 5 minutes. While it lasts, its data can be read without the key vault.</summary>
    public TimeSpan KeyLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Most unwrapped data keys in memory at once; about 100 bytes each.</summary>
    public int CachedKeys { get; set; } = 20_000;

    internal void Check()
    {
        if (!FhirIds.IsValid(Tenant))
        {
            throw new ArgumentException("The tenant's name has 1 to 64 of A-Z, a-z, 0-9, '-' and '.'.");
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(KeyLifetime, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(KeyLifetime, TimeSpan.FromMinutes(5));
        ArgumentOutOfRangeException.ThrowIfLessThan(CachedKeys, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(CachedKeys, 1_000_000);
    }
}
