using CsCheck;
using Forecasting.NoShow;

namespace Forecasting.Tests.NoShow;

public sealed class PoissonBinomialTests
{
    /// <summary>Every way in which some come and others do not, one by one.</summary>
    [Fact]
    public void Distribution_AnyChances_IsWhatCountingAllOutcomesGives() => Gen.Double[0, 1].Array[0, 12].Sample(chances =>
    {
        var expected = new double[chances.Length + 1];
        for (var outcome = 0; outcome < 1 << chances.Length; outcome++)
        {
            var chance = 1.0;
            for (var i = 0; i < chances.Length; i++)
            {
                chance *= (outcome & (1 << i)) != 0 ? chances[i] : 1 - chances[i];
            }
            expected[int.PopCount(outcome)] += chance;
        }
        Assert.All(expected.Zip(PoissonBinomial.Distribution(chances)), pair => Assert.Equal(pair.First, pair.Second, 1e-12));
    }, iter: 200);

    [Fact]
    public void MayAdd_AnySession_IsTheMostThatKeepsTheLimit() => Gen.Select(Gen.Double[0, 1].Array[0, 10], Gen.Int[0, 14], Gen.Double[0.001, 0.5]).Sample((chances, capacity, limit) =>
    {
        var more = PoissonBinomial.MayAdd(chances, capacity, limit);
        double Overflow(int added) => PoissonBinomial.Above(PoissonBinomial.Distribution([.. chances, .. Enumerable.Repeat(1.0, added)]), capacity);

        Assert.True(more == 0 || Overflow(more) <= limit + 1e-12);
        Assert.True(more >= capacity || Overflow(more + 1) > limit - 1e-12);
    }, iter: 500);

    [Theory]
    [InlineData(8, 8, 1.0, 0.05, 0)] // all come: not one more
    [InlineData(8, 5, 1.0, 0.05, 3)] // the free ones
    [InlineData(20, 20, 0.8, 0.05, 1)]
    [InlineData(20, 20, 0.8, 0.25, 3)]
    [InlineData(0, 0, 1.0, 0.05, 0)] // no slots, nobody
    public void MayAdd_KnownSession_AsTheTableOfTheBinomialSays(int capacity, int booked, double coming, double limit, int more) =>
        Assert.Equal(more, PoissonBinomial.MayAdd([.. Enumerable.Repeat(coming, booked)], capacity, limit));

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Distribution_NoChance_IsRefused(double chance) => Assert.ThrowsAny<ArgumentException>(() => PoissonBinomial.Distribution([0.5, chance]));
}
