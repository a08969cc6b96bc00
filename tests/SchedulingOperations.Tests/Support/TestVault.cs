using System.Security.Cryptography;
using FhirCore.Keys;

namespace SchedulingOperations.Tests.Support;

/// <summary>A root key in memory.</summary>
internal sealed class TestVault : IKeyVault
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    public string KeyId => "test";

    public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> dataKey, ReadOnlyMemory<byte> context, CancellationToken ct)
    {
        using var aes = new AesGcm(_key, 16);
        var wrapped = new byte[12 + dataKey.Length + 16];
        RandomNumberGenerator.Fill(wrapped.AsSpan(0, 12));
        aes.Encrypt(wrapped.AsSpan(0, 12), dataKey.Span, wrapped.AsSpan(12, dataKey.Length), wrapped.AsSpan(12 + dataKey.Length), context.Span);
        return new(wrapped);
    }

    public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, ReadOnlyMemory<byte> context, CancellationToken ct)
    {
        using var aes = new AesGcm(_key, 16);
        var key = new byte[wrapped.Length - 28];
        aes.Decrypt(wrapped.Span[..12], wrapped.Span[12..^16], wrapped.Span[^16..], key, context.Span);
        return new(key);
    }
}
