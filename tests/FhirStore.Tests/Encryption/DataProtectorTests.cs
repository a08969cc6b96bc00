using System.Buffers.Text;
using System.Security.Cryptography;
using CsCheck;
using FhirStore.Encryption;

namespace FhirStore.Tests.Encryption;

public sealed class DataProtectorTests
{
    private readonly DataProtector _protector = new(RandomNumberGenerator.GetBytes(32));

    [Fact]
    public void TryOpen_OfWhatWasSealed_GivesItBack() => Gen.Byte.Array[0, 500].Sample(plain =>
    {
        var text = _protector.Seal("cursor", plain);
        Assert.All(text, c => Assert.True(char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
        Assert.True(_protector.TryOpen("cursor", text, out var opened));
        Assert.Equal(plain, opened);
    });

    [Fact]
    public void TryOpen_OfTheLongestValue_GivesItBackAndLongerIsRefused()
    {
        var plain = RandomNumberGenerator.GetBytes(DataProtector.LongestPlain);
        Assert.True(_protector.TryOpen("cursor", _protector.Seal("cursor", plain), out var opened));
        Assert.Equal(plain, opened);
        Assert.Throws<ArgumentOutOfRangeException>(() => _protector.Seal("cursor", new byte[DataProtector.LongestPlain + 1]));
    }

    [Fact]
    public void TryOpen_ForAnotherPurposeOrByAnotherKey_IsRefused()
    {
        var text = _protector.Seal("cursor", "secret"u8);
        Assert.False(_protector.TryOpen("proposal", text, out var plain));
        Assert.Empty(plain);
        Assert.False(new DataProtector(RandomNumberGenerator.GetBytes(32)).TryOpen("cursor", text, out _));
    }

    [Fact]
    public void TryOpen_OfAnyAlteredByte_IsRefused()
    {
        var bytes = Base64Url.DecodeFromChars(_protector.Seal("cursor", "secret"u8));
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(_protector.TryOpen("cursor", Base64Url.EncodeToString(bytes), out _));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        Assert.True(_protector.TryOpen("cursor", Base64Url.EncodeToString(bytes), out _));
    }

    [Fact]
    public void TryOpen_OfAnyTextOfAStranger_IsRefusedWithoutAFault() =>
        Gen.OneOf(Gen.String, Gen.Byte.Array[0, 200].Select(b => Base64Url.EncodeToString(b)), Gen.Const(new string('A', 200_000)))
            .Sample(text => Assert.False(_protector.TryOpen("cursor", text, out _)));

    [Fact]
    public void Seal_Twice_GivesDifferentTexts() => Assert.NotEqual(_protector.Seal("cursor", "x"u8), _protector.Seal("cursor", "x"u8));
}
