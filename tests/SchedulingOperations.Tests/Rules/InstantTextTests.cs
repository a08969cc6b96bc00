using CsCheck;
using SchedulingOperations.Views;

namespace SchedulingOperations.Tests.Rules;

public sealed class InstantTextTests
{
    [Theory] // (d) 71, 72, 75, 77, 78
    [InlineData("2030-03-31T01:30:00Z", "2030-03-31T01:30:00Z")]
    [InlineData("2030-03-31T02:30:00+01:00", "2030-03-31T01:30:00Z")]
    [InlineData("2030-10-27T02:30:00+02:00", "2030-10-27T00:30:00Z")]
    [InlineData("2030-10-27T02:30:00+01:00", "2030-10-27T01:30:00Z")]
    [InlineData("2028-02-29T23:59:60Z", "2028-03-01T00:00:00Z")]
    [InlineData("2030-12-31T23:59:60.5Z", "2031-01-01T00:00:00.5Z")]
    [InlineData("2030-01-01T00:00:00+14:00", "2029-12-31T10:00:00Z")]
    [InlineData("2030-01-01T00:00:00-12:00", "2030-01-01T12:00:00Z")]
    [InlineData("2030-01-01T00:00:00+05:45", "2029-12-31T18:15:00Z")]
    [InlineData("2030-01-01T00:00:00.123456789+00:00", "2030-01-01T00:00:00.1234567Z")]
    public void TryParse_AnyOffset_IsTheInstant(string text, string utc)
    {
        Assert.True(InstantText.TryParse(text, out var instant));
        Assert.Equal(DateTimeOffset.Parse(utc, System.Globalization.CultureInfo.InvariantCulture), instant);
        Assert.True(InstantText.TryRead(System.Text.Json.JsonElement.Parse($$"""{"start":"{{text}}"}"""), "start"u8, out var read));
        Assert.Equal(instant, read);
    }

    [Theory]
    [InlineData("2030-01-01T00:00:00")]
    [InlineData("2030-01-01")]
    [InlineData("2030-02-30T00:00:00Z")]
    [InlineData("2030-01-01T25:00:00Z")]
    [InlineData("2030-01-01 00:00:00Z")]
    [InlineData("")]
    public void TryParse_WithoutOffsetOrNonsense_IsRefused(string text)
    {
        Assert.False(InstantText.TryParse(text, out _));
        Assert.False(InstantText.TryRead(System.Text.Json.JsonElement.Parse($$"""{"start":"{{text}}"}"""), "start"u8, out _));
    }

    [Fact]
    public void Utc_AnyInstant_IsReadBack() => Gen.Long[0, 3_000_000_000_000_000].Sample(micros =>
    {
        var instant = DateTimeOffset.UnixEpoch.AddMicroseconds(micros);
        return InstantText.TryParse(InstantText.Utc(instant), out var back) && back == instant;
    });
}
