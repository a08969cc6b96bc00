using CsCheck;
using FhirCore;
using FhirCore.Records;

namespace FhirCore.Tests;

public sealed class VocabularyTests
{
    private static readonly DateTimeOffset Day = new(2031, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Gen<(int From, int Length)> AnyMinutes = Gen.Select(Gen.Int[0, 30], Gen.Int[1, 20]);

    [Fact]
    public void TimeRange_Overlaps_AgreesWithMinuteCells() => Gen.Select(AnyMinutes, AnyMinutes).Sample((a, b) =>
        Range(a).Overlaps(Range(b)) == Cells(a).Intersect(Cells(b)).Any()
        && Range(a).Contains(Range(b)) == Cells(b).All(Cells(a).Contains));

    [Fact]
    public void TimeRange_WithoutLength_IsNone() => Assert.Throws<ArgumentException>(() => new TimeRange(Day, Day));

    [Theory]
    [InlineData("Patient/1", true)]
    [InlineData("Patient/a.b-C9", true)]
    [InlineData("Patient/", false)]
    [InlineData("/1", false)]
    [InlineData("patient/1", false)]
    [InlineData("_DataKey/1", false)]
    [InlineData("Patient/1/_history/2", false)]
    [InlineData("Patient/ü", false)]
    [InlineData(null, false)]
    public void ResourceKey_TryParse_TakesRelativeReferencesOnly(string? text, bool isKey)
    {
        Assert.Equal(isKey, ResourceKey.TryParse(text, out var key));
        Assert.Equal(isKey ? text : "/", key.ToString());
    }

    [Fact]
    public void FhirIds_AreAtMost64Characters()
    {
        Assert.True(FhirIds.IsValid(new string('a', 64)));
        Assert.False(FhirIds.IsValid(new string('a', 65)));
        Assert.True(FhirIds.IsValid(FhirIds.New(TimeProvider.System)));
    }

    [Fact]
    public void SortableTime_OrdersAsTheInstantsDo() => Gen.Select(Gen.DateTimeOffset, Gen.DateTimeOffset).Sample((a, b) =>
    {
        var (x, y) = (SortableTime.Encode(a), SortableTime.Encode(b));
        var order = (a.UtcTicks / TimeSpan.TicksPerMicrosecond).CompareTo(b.UtcTicks / TimeSpan.TicksPerMicrosecond);
        return Math.Sign(x.AsSpan().SequenceCompareTo(y)) == Math.Sign(order);
    });

    [Fact]
    public void IndexEntries_AreASortedSetOfWhatWasAdded() => Gen.Select(Gen.UInt[0, 3], Gen.Byte.Array[1, 3]).Array[0, 12].Sample(added =>
    {
        var builder = new IndexEntries.Builder();
        foreach (var (field, value) in added)
        {
            builder.Add(new(field), value);
        }
        var built = IndexEntries.FromBlock(builder.Build().Block);
        var found = new List<string>();
        foreach (var entry in built)
        {
            found.Add($"{entry.Field.Number}:{Convert.ToHexString(entry.Value.Span)}");
        }
        var expected = added.Select(a => $"{a.Item1}:{Convert.ToHexString(a.Item2)}").ToHashSet();
        return found.Count == expected.Count && expected.SetEquals(found) && added.All(a => built.Has(new(a.Item1), a.Item2));
    });

    [Fact]
    public void FhirFailure_EveryKindHasAStatus()
    {
        foreach (var kind in Enum.GetValues<FailureKind>())
        {
            Assert.InRange(FhirFailure.Of(kind, "why").Status, 400, 503);
        }
    }

    private static TimeRange Range((int From, int Length) minutes) => new(Day.AddMinutes(minutes.From), Day.AddMinutes(minutes.From + minutes.Length));

    private static HashSet<int> Cells((int From, int Length) minutes) => [.. Enumerable.Range(minutes.From, minutes.Length)];
}
