using System.Security.Cryptography;
using Authorization.Records;
using FhirCore.Records;
using FhirStore.Encryption;
using Microsoft.IdentityModel.Tokens;

namespace Authorization.Keys;

/// <summary>
/// The keys that sign access tokens and seal what OpenIddict keeps to itself. Made on the first start, kept sealed in the
/// store, the same in every process on one store.
/// </summary>
public sealed class ServerKeys(IRecordStore store, RecordCipher cipher, TimeProvider clock)
{
    public const string RecordType = "_SigningKey";
    public const string SigningAlgorithm = SecurityAlgorithms.EcdsaSha256;
    public const string EncryptionAlgorithm = "A256";
    private const string SigningId = "access-token-1";
    private const string EncryptionId = "sealing-1";
    private const int EncryptionKeyBytes = 32;

    private readonly SealedRecords<StoredKey> _records = new(store, cipher, clock, RecordType, RecordJson.Default.StoredKey, static (_, _) => { });
    private readonly SemaphoreSlim _loading = new(1, 1);
    private Loaded? _loaded;

    /// <summary>Signs and verifies access tokens: ECDSA P-256, its id is its thumbprint (RFC 7638).</summary>
    /// <exception cref="InvalidOperationException">The server has not been started.</exception>
    public ECDsaSecurityKey Signing => Current.Signing;

    public SymmetricSecurityKey Encryption => Current.Encryption;

    private Loaded Current => Volatile.Read(ref _loaded) ?? throw new InvalidOperationException("The keys are loaded when the host starts, before the first request.");

    /// <summary>Reads the keys, and makes them where there are none yet.</summary>
    public async Task LoadAsync(CancellationToken ct)
    {
        await _loading.WaitAsync(ct);
        try
        {
            if (_loaded is not null)
            {
                return;
            }
            var signing = await FindOrMakeAsync(SigningId, SigningAlgorithm, NewSigningKey, ct);
            var encryption = await FindOrMakeAsync(EncryptionId, EncryptionAlgorithm, () => RandomNumberGenerator.GetBytes(EncryptionKeyBytes), ct);
            Volatile.Write(ref _loaded, new(ToSigningKey(signing), new(encryption)));
        }
        finally
        {
            _loading.Release();
        }
    }

    private async Task<byte[]> FindOrMakeAsync(string id, string algorithm, Func<byte[]> make, CancellationToken ct)
    {
        while (true)
        {
            if (await _records.FindAsync(id, ct) is { } found)
            {
                return found.Value.Algorithm == algorithm
                    ? found.Value.Key
                    : throw new StoreCorruptException($"{RecordType}/{id} is a key for {found.Value.Algorithm}, not for {algorithm}.");
            }
            var key = make();
            if (await _records.TryWriteAsync(id, new(algorithm, key, clock.GetUtcNow()), 0, null, ct))
            {
                return key;
            }
            // another process made it in between: take that one
        }
    }

    private static byte[] NewSigningKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKey();
    }

    private static ECDsaSecurityKey ToSigningKey(byte[] pkcs8)
    {
        var algorithm = ECDsa.Create();
        algorithm.ImportPkcs8PrivateKey(pkcs8, out _);
        var key = new ECDsaSecurityKey(algorithm);
        key.KeyId = Base64UrlEncoder.Encode(key.ComputeJwkThumbprint());
        return key;
    }

    private sealed record Loaded(ECDsaSecurityKey Signing, SymmetricSecurityKey Encryption);
}
