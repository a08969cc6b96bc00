using System.Security.Cryptography;
using FhirCore.Keys;

namespace FhirStore.Tests.Encryption;

/// <summary>What every <see cref="IKeyVault"/> promises.</summary>
public abstract class KeyVaultContract
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);
    private static readonly byte[] Context = "fhir key|default|_Key/tenant|1"u8.ToArray();

    /// <summary>The same root key at each call, as after a restart.</summary>
    protected abstract IKeyVault Open();

    /// <summary>A vault of the same kind with another root key.</summary>
    protected abstract IKeyVault OpenOther();

    [Fact]
    public async Task Unwrap_AfterRestart_GivesTheKeyBack()
    {
        var wrapped = await Open().WrapAsync(Key, Context, default);
        Assert.Equal(Key, await Open().UnwrapAsync(wrapped, Context, default));
    }

    [Fact]
    public async Task Wrap_Twice_GivesDifferentBytesThatHideTheKey()
    {
        var vault = Open();
        var first = await vault.WrapAsync(Key, Context, default);
        Assert.NotEqual(first, await vault.WrapAsync(Key, Context, default));
        Assert.Equal(-1, first.AsSpan().IndexOf(Key));
        Assert.Equal(-1, first.AsSpan().IndexOf(Key.AsSpan(0, 8)));
    }

    [Fact]
    public async Task Unwrap_WithAnotherContext_Fails()
    {
        var vault = Open();
        var wrapped = await vault.WrapAsync(Key, Context, default);
        await Assert.ThrowsAnyAsync<CryptographicException>(() => vault.UnwrapAsync(wrapped, "another"u8.ToArray(), default).AsTask());
        await Assert.ThrowsAnyAsync<CryptographicException>(() => vault.UnwrapAsync(wrapped, default, default).AsTask());
    }

    [Fact]
    public async Task Unwrap_ByAnotherRootKey_Fails()
    {
        var wrapped = await Open().WrapAsync(Key, Context, default);
        await Assert.ThrowsAnyAsync<CryptographicException>(() => OpenOther().UnwrapAsync(wrapped, Context, default).AsTask());
    }

    [Fact]
    public async Task Unwrap_OfAlteredOrShortenedBytes_Fails()
    {
        var vault = Open();
        var wrapped = await vault.WrapAsync(Key, Context, default);
        for (var at = 0; at < wrapped.Length; at++)
        {
            var altered = (byte[])wrapped.Clone();
            altered[at] ^= (byte)(1 << (at % 8));
            await Assert.ThrowsAnyAsync<CryptographicException>(() => vault.UnwrapAsync(altered, Context, default).AsTask());
            await Assert.ThrowsAnyAsync<CryptographicException>(() => vault.UnwrapAsync(wrapped.AsMemory(0, at), Context, default).AsTask());
        }
    }

    [Fact]
    public void KeyId_NamesTheRootKey()
    {
        Assert.NotEmpty(Open().KeyId);
        Assert.Equal(Open().KeyId, Open().KeyId);
        Assert.NotEqual(Open().KeyId, OpenOther().KeyId);
    }
}
