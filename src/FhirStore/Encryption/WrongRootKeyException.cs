namespace FhirStore.Encryption;

/// <summary>The key vault holds another root key than the one this database was made with. The process must not start.</summary>
public sealed class WrongRootKeyException(string expected, string offered, Exception? inner = null)
    : Exception($"This database was made with the root key '{expected}', but the key vault holds '{offered}'. Point Keys:* to the vault or key file that belongs to the database; without it nothing in it can be read.", inner)
{
    public string Expected { get; } = expected;

    public string Offered { get; } = offered;
}
