namespace FhirCore.Keys;

/// <summary>Holds the root key and never lets it out: data keys are wrapped and unwrapped here. Every adapter passes <c>KeyVaultContract</c>.</summary>
public interface IKeyVault
{
    /// <summary>Names the root key in use; written beside the store so that a process with another key stops at start.</summary>
    string KeyId { get; }

    /// <param name="context">Bound to the wrapped key: unwrapping with another context fails.</param>
    ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> dataKey, ReadOnlyMemory<byte> context, CancellationToken ct);

    /// <exception cref="System.Security.Cryptography.CryptographicException">Wrong key, wrong context, or altered bytes.</exception>
    ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, ReadOnlyMemory<byte> context, CancellationToken ct);
}
