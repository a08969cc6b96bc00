using System.Security.Cryptography;
using FhirCore.Keys;

namespace FhirStore.Encryption;

/// <summary>Root key in a file of this machine, for the embedded mode. Losing the file loses the database.</summary>
public sealed class FileKeyVault : IKeyVault, IDisposable
{
    private readonly Lock _gate = new();
    private readonly byte[] _key;
    private bool _disposed;

    private FileKeyVault(byte[] key)
    {
        _key = key;
        // A hash of a uniformly random key tells nothing about it.
        KeyId = "file-" + Convert.ToHexStringLower(HMACSHA256.HashData(key, "fhir root key id"u8).AsSpan(0, 8));
    }

    /// <summary>Fingerprint of the key.</summary>
    public string KeyId { get; }

    /// <param name="mayCreate">
    /// True makes a missing file with a new key, mode 0600, in a folder of mode 0700. Say false where the database exists already:
    /// a new key could not open it.
    /// </param>
    /// <exception cref="KeyFileException">The file is missing and must not be made, can be read by others, or is no key file.</exception>
    public static FileKeyVault Open(string path, bool mayCreate)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = Path.GetFullPath(path);
        if (mayCreate)
        {
            KeyFile.Ensure(path);
        }
        return new(KeyFile.Read(path));
    }

    public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> dataKey, ReadOnlyMemory<byte> context, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_gate) // calls are rare; nothing must be wrapped under a key that is being wiped
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return new(KeyWrap.Wrap(_key, dataKey.Span, context.Span));
        }
    }

    public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, ReadOnlyMemory<byte> context, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return new(KeyWrap.Unwrap(_key, wrapped.Span, context.Span));
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            CryptographicOperations.ZeroMemory(_key);
        }
    }
}
