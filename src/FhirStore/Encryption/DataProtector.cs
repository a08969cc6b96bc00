using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace FhirStore.Encryption;

/// <summary>Small sealed values that leave the server and come back: page cursors, proposal ids. Encrypted and authenticated, url-safe text.</summary>
public sealed class DataProtector
{
    /// <summary>Most bytes that <see cref="Seal"/> takes.</summary>
    public const int LongestPlain = 32 * 1024;

    private const byte Format = 1;
    private const int LongestText = ((1 + MessageCipher.Overhead + LongestPlain + 2) / 3 * 4) + 2;

    private readonly byte[] _key;

    /// <param name="key">32 random bytes; copied. All processes on one database share it.</param>
    public DataProtector(ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, MessageCipher.KeySize, nameof(key));
        _key = key.ToArray();
    }

    /// <param name="purpose">A value sealed for one purpose cannot be opened for another.</param>
    public string Seal(string purpose, ReadOnlySpan<byte> plain)
    {
        ArgumentException.ThrowIfNullOrEmpty(purpose);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plain.Length, LongestPlain, nameof(plain));
        return Base64Url.EncodeToString(SealBytes(purpose, plain));
    }

    /// <returns><see langword="false"/> when the text was not made by <see cref="Seal"/> for this purpose.</returns>
    public bool TryOpen(string purpose, ReadOnlySpan<char> text, out byte[] plain)
    {
        ArgumentException.ThrowIfNullOrEmpty(purpose);
        plain = [];
        if (text.Length > LongestText || !Base64Url.IsValid(text))
        {
            return false;
        }
        return TryOpenBytes(purpose, Base64Url.DecodeFromChars(text), out plain);
    }

    /// <summary>As <see cref="Seal"/>, for bytes that lie in an engine rather than in an address; of any length.</summary>
    public byte[] SealBytes(string purpose, ReadOnlySpan<byte> plain)
    {
        ArgumentException.ThrowIfNullOrEmpty(purpose);
        var sealedBytes = GC.AllocateUninitializedArray<byte>(1 + MessageCipher.Overhead + plain.Length);
        sealedBytes[0] = Format;
        MessageCipher.Encrypt(_key, plain, Binding(purpose), sealedBytes.AsSpan(1));
        return sealedBytes;
    }

    /// <returns><see langword="false"/> when the bytes were not made by <see cref="SealBytes"/> for this purpose.</returns>
    public bool TryOpenBytes(string purpose, ReadOnlySpan<byte> sealedBytes, out byte[] plain)
    {
        ArgumentException.ThrowIfNullOrEmpty(purpose);
        plain = [];
        if (sealedBytes.Length < 1 + MessageCipher.Overhead || sealedBytes[0] != Format)
        {
            return false;
        }
        var opened = GC.AllocateUninitializedArray<byte>(sealedBytes.Length - 1 - MessageCipher.Overhead);
        try
        {
            MessageCipher.Decrypt(_key, sealedBytes[1..], Binding(purpose), opened);
        }
        catch (CryptographicException)
        {
            return false;
        }
        plain = opened;
        return true;
    }

    private static byte[] Binding(string purpose) => Encoding.UTF8.GetBytes($"fhir sealed value|{Format}|{purpose}");
}
