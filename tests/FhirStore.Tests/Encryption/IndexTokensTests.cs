using System.Security.Cryptography;
using System.Text;
using CsCheck;
using FhirStore.Encryption;

namespace FhirStore.Tests.Encryption;

public sealed class IndexTokensTests
{
    private static readonly byte[] Root = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private readonly IndexTokens _tokens = new(Root, epoch: 1);

    [Fact]
    public void Token_EqualsAnIndependentComputation()
    {
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Root, 32, null, "fhir index|1|Patient/identifier/value"u8.ToArray());
        var expected = HMACSHA256.HashData(key, "http://h.example/mrn|4711"u8.ToArray());
        Assert.Equal(expected, Make(_tokens.KeyFor("Patient/identifier/value"), "http://h.example/mrn|4711", 32));
    }

    [Fact]
    public void Token_IsTheSameForEver() => // stored tokens would no longer be found
        Assert.Equal("b3cbc64d53af93edf168db2033cb09b4", Convert.ToHexStringLower(Make(_tokens.KeyFor("Patient/identifier/value"), "http://h.example/mrn|4711", 16)));

    [Fact]
    public void Token_OfAnyText_IsThatOfItsUtf8BytesAndShorterOnesAreItsPrefixes() =>
        Gen.Select(Gen.String, Gen.String[Gen.Char, 0, 600], Gen.Int[1, 32]).Sample((use, text, length) =>
        {
            var key = _tokens.KeyFor("use/" + use);
            var whole = new byte[32];
            key.Token(Encoding.UTF8.GetBytes(text), whole);
            Assert.Equal(whole[..length], Make(key, text, length));
        });

    [Fact]
    public void Token_OfDifferentUsesEpochsRootsOrValues_HaveNothingInCommon()
    {
        var tokens = new[]
        {
            Make(_tokens.KeyFor("Patient/identifier"), "a", 8),
            Make(_tokens.KeyFor("Patient/identifier"), "b", 8),
            Make(_tokens.KeyFor("Patient/identifier"), "", 8),
            Make(_tokens.KeyFor("Patient/identifie"), "ra", 8),
            Make(_tokens.KeyFor("Person/identifier"), "a", 8),
            Make(new IndexTokens(Root, epoch: 2).KeyFor("Patient/identifier"), "a", 8),
            Make(new IndexTokens([.. Root.Reverse()], epoch: 1).KeyFor("Patient/identifier"), "a", 8),
        };
        Assert.Equal(tokens.Length, tokens.Select(Convert.ToHexString).Distinct().Count());
    }

    [Fact]
    public void Token_ByManyThreadsAtOnce_IsTheOneThread()
    {
        var key = _tokens.KeyFor("Patient/name");
        var expected = Enumerable.Range(0, 50).Select(i => Make(key, $"name {i}", 16)).ToArray();
        Parallel.For(0, 20_000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => Assert.Equal(expected[i % 50], Make(key, $"name {i % 50}", 16)));
    }

    [Fact]
    public void KeyFor_SameUse_IsDerivedOnce() => Assert.Same(_tokens.KeyFor("a"), _tokens.KeyFor("a"));

    [Theory]
    [InlineData(0)]
    [InlineData(33)]
    public void Token_OfALengthItCannotHave_IsRefused(int length) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(_tokens.KeyFor("a"), "x", length));

    private static byte[] Make(IndexTokenKey key, string text, int length)
    {
        var token = new byte[length];
        key.Token(text, token);
        return token;
    }
}
