using CsCheck;
using Subscriptions.Writing;

namespace Subscriptions.Tests.Writing;

public sealed class HeaderTests
{
    /// <summary>Whatever is written: a header that is taken cannot end the line, start another, or be the server's own.</summary>
    [Fact]
    public void Header_ThatIsTaken_IsOneLine() =>
        Gen.Select(Gen.OneOf(Gen.String, Gen.Char["aZ-:\r\n\t \0ä"].Array[0, 12].Select(characters => new string(characters))), Gen.String).Sample((name, value) =>
            !HeaderReader.Read([$"{name}: {value}"], []).TryGet(out var read, out _)
            || (read[0].All(c => c is >= ' ' and <= '~') && !read[0].StartsWith(' ') && read[0].IndexOf(':', StringComparison.Ordinal) > 0));

    [Theory]
    [InlineData("Authorization: Bearer x", true)]
    [InlineData("X-Key:abc", true)]
    [InlineData("X-Key: a\r\nHost: else", false)]
    [InlineData("X-Key: a\nb", false)]
    [InlineData("X Key: a", false)]
    [InlineData("X-Key:", false)]
    [InlineData(": a", false)]
    [InlineData("X-Key", false)]
    [InlineData("Host: else", false)]
    [InlineData("content-length: 0", false)]
    [InlineData("Transfer-Encoding: chunked", false)]
    [InlineData("webhook-signature: v1,x", false)]
    [InlineData("Proxy-Authorization: x", false)]
    [InlineData("X-Key: \u00e4", false)]
    public void Header_IsTakenOrRefused(string header, bool taken) => Assert.Equal(taken, HeaderReader.Read([header], []).TryGet(out _, out _));

    [Fact]
    public void Mask_KeepsTheValueThatWas()
    {
        Assert.Equal(["Authorization: Bearer x"], HeaderReader.Read([HeaderReader.Masked("authorization: Bearer x")], ["Authorization: Bearer x"]).Value);
        Assert.Equal("Subscription.channel.header[0]", HeaderReader.Read(["Authorization: ****"], []).Failure!.Issues[0].Expression);
    }

    [Fact]
    public void Masked_ShowsTheNameAlone() =>
        Gen.String.Array[1, 3].Sample(parts => HeaderReader.Masked(string.Join(':', parts.Prepend("X-Key"))) is HeaderReader.Mask or $"X-Key: {HeaderReader.Mask}");
}
