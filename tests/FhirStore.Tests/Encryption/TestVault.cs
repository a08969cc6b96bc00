using System.Security.Cryptography;
using FhirCore.Keys;

namespace FhirStore.Tests.Encryption;

/// <summary>A vault in memory that can be away.</summary>
internal sealed class TestVault(string keyId = "test-root") : IKeyVault
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    public string KeyId { get; init; } = keyId;

    public bool Away { get; set; }

    public int Unwraps { get; private set; }

    public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> dataKey, ReadOnlyMemory<byte> context, CancellationToken ct)
    {
        ThrowIfAway();
        var wrapped = new byte[28 + dataKey.Length];
        RandomNumberGenerator.Fill(wrapped.AsSpan(0, 12));
        using var gcm = new AesGcm(_key, 16);
        gcm.Encrypt(wrapped.AsSpan(0, 12), dataKey.Span, wrapped.AsSpan(12..^16), wrapped.AsSpan(^16..), context.Span);
        return new(wrapped);
    }

    public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, ReadOnlyMemory<byte> context, CancellationToken ct)
    {
        ThrowIfAway();
        Unwraps++;
        var key = new byte[wrapped.Length - 28];
        using var gcm = new AesGcm(_key, 16);
        gcm.Decrypt(wrapped.Span[..12], wrapped.Span[12..^16], wrapped.Span[^16..], key, context.Span);
        return new(key);
    }

    private void ThrowIfAway()
    {
        if (Away)
        {
            throw new HttpRequestException("no route to the key service");
        }
    }
}
