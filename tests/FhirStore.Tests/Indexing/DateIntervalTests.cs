using System.Text;
using CsCheck;
using FhirStore.Indexing;
using FhirStore.Search.Values;

namespace FhirStore.Tests.Indexing;

public sealed class DateIntervalTests
{
    [Theory]
    [InlineData("2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z")]
    [InlineData("2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z")]
    [InlineData("2024-12", "2024-12-01T00:00:00Z", "2025-01-01T00:00:00Z")]
    [InlineData("2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z")]
    [InlineData("2024-01-01T10:00", "2024-01-01T10:00:00Z", "2024-01-01T10:01:00Z")]
    [InlineData("2024-01-01T10:00:05+02:00", "2024-01-01T08:00:05Z", "2024-01-01T08:00:06Z")]
    [InlineData("2024-01-01T10:00:05 02:00", "2024-01-01T08:00:05Z", "2024-01-01T08:00:06Z")]
    [InlineData("2024-01-01T23:30:00-05:00", "2024-01-02T04:30:00Z", "2024-01-02T04:30:01Z")]
    [InlineData("2024-01-01T10:00:05.250Z", "2024-01-01T10:00:05.250Z", "2024-01-01T10:00:05.251Z")]
    [InlineData("2024-01-01T10:00:05.25Z", "2024-01-01T10:00:05.250Z", "2024-01-01T10:00:05.251Z")]
    public void TryParse_GivesTheSpanOfThePrecision(string text, string start, string end)
    {
        Assert.True(DateInterval.TryParse(Encoding.UTF8.GetBytes(text), out var interval));
        Assert.Equal((Micros(start), Micros(end)), (interval.Start, interval.End));
    }

    [Theory]
    [InlineData("")]
    [InlineData("24")]
    [InlineData("0000")]
    [InlineData("2023-02-29")]
    [InlineData("2023-13")]
    [InlineData("2023-1-1")]
    [InlineData("2023-01-01T")]
    [InlineData("2023-01-01T10")]
    [InlineData("2023-01-01T10:00:00.Z")]
    [InlineData("2023-01-01T25:00:00Z")]
    [InlineData("2023-01-01T10:00:00+0200")]
    [InlineData("2023-01-01 10:00:00Z")]
    [InlineData("tomorrow")]
    public void TryParse_WhatIsNoDate_IsRefused(string text) => Assert.False(DateInterval.TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void TryParse_AnyText_NeverThrows() => Gen.OneOf(Gen.String, Gen.String[Gen.Char["0123456789-T:+Z. "], 0, 32]).Sample(text =>
    {
        if (DateInterval.TryParse(Encoding.UTF8.GetBytes(text), out var interval))
        {
            Assert.True(interval is { Start: >= 0, End: <= DateInterval.Latest } && interval.Start < interval.End);
        }
    });

    // Days stand for moments: the meaning of each prefix is told by sets of days, not by the comparisons under test.
    [Fact]
    public void Comparisons_MeanWhatTheyMeanForSetsOfMoments() => Gen.Select(Gen.Int[0, 12], Gen.Int[1, 5], Gen.Int[0, 12], Gen.Int[1, 5]).Sample((s, sl, t, tl) =>
    {
        var search = Enumerable.Range(s, sl).ToHashSet();
        var target = Enumerable.Range(t, tl).ToHashSet();
        var within = target.IsSubsetOf(search);
        var above = target.Any(d => d > search.Max());
        var below = target.Any(d => d < search.Min());
        Check(Comparison.Eq, within);
        Check(Comparison.Ne, !within);
        Check(Comparison.Gt, above);
        Check(Comparison.Lt, below);
        Check(Comparison.Ge, within || above);
        Check(Comparison.Le, within || below);
        Check(Comparison.Sa, target.Min() > search.Max());
        Check(Comparison.Eb, target.Max() < search.Min());
        Check(Comparison.Ap, target.Overlaps(search));

        void Check(Comparison comparison, bool expected) => Assert.Equal(expected, new DateValue(comparison, Days(s, sl)).IsMatch(Days(t, tl)));
    });

    private static DateInterval Days(int first, int length) => new(first * DateInterval.MicrosPerDay, (first + length) * DateInterval.MicrosPerDay);

    private static long Micros(string instant) =>
        DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture).UtcTicks / TimeSpan.TicksPerMicrosecond;
}
