using Forecasting.MlNet;

namespace Forecasting.Tests.MlNet;

/// <summary>What ML.NET's own samples and tests publish for ForecastBySsa (dotnet/machinelearning @ cd2fbd6).</summary>
public sealed class MlNetGoldenTests
{
    private const float Tolerance = 2e-5f;

    private static readonly float[] Digits = [.. Enumerable.Range(0, 50).Select(i => (float)(i % 10)), .. Enumerable.Range(0, 10).Select(i => 100f * i)];

    /// <summary>docs/samples/…/ForecastingWithConfidenceInterval.cs.</summary>
    [Fact]
    public void Sample_FiveValuesThreeTimes_ForecastAndBoundsBeforeAndAfterFourZeros()
    {
        var model = MlNetSsa.Fit(Enumerable.Range(0, 15).Select(i => (float)(i % 5)), new(5, 11, 15));

        Assert.Equal(3, model.Rank);
        Same([1.977226f, 1.020494f, 1.760543f, 3.437509f, 4.266461f], [0.3451088f, -0.7967533f, -0.058467f, 1.61505f, 2.349299f],
            [3.609343f, 2.83774f, 3.579552f, 5.259968f, 6.183623f], model.Forecast(5));

        Consume(model, 0, 0, 0, 0);
        Same([1.791331f, 1.255525f, 0.3060154f, -0.200446f, 0.5657795f], [0.1592142f, -0.5617217f, -1.512994f, -2.022905f, -1.351382f],
            [3.423448f, 3.072772f, 2.125025f, 1.622013f, 2.482941f], model.Forecast(5));
    }

    /// <summary>test/Microsoft.ML.TimeSeries.Tests/TimeSeriesDirectApi.cs, SsaForecastPredictionEngine: the spikes after value 22 are not learned from.</summary>
    [Fact]
    public void PredictionEngine_TenDigits_ForecastAndBoundsAlongTheConsumedValues()
    {
        var model = MlNetSsa.Fit(Digits, new(10, 11, 22));

        Assert.Equal(4, model.Rank);
        Same([-1.02245092f, 0.08333033f, 2.6073704f, 5.397318f, 7.5008316f], [-5.1881413f, -4.82533741f, -2.563095f, 0.21317233f, 2.29317045f],
            [3.1432397f, 4.991998f, 7.777836f, 10.581464f, 12.708492f], model.Forecast(5));

        Consume(model, 2, 2);
        Same([4.310586f, 6.397167f, 7.73934f, 8.029469f], [0.14489543f, 1.48849952f, 2.5688744f, 2.845323f],
            [8.476276f, 11.305835f, 12.909805f, 13.2136145f], model.Forecast(4));

        Consume(model, 3);
        Same([6.006588f, 7.506871f, 7.964249f, 7.1751432f, 5.0265527f], [1.84089744f, 2.5982034f, 2.7937837f, 1.9909977f, -0.1811084f],
            [10.172278f, 12.415539f, 13.1347151f, 12.359289f, 10.234214f], model.Forecast(5));
    }

    /// <summary>The same file, SsaForecast.</summary>
    [Fact]
    public void Transform_TenDigitsThenOneZero_ForecastAndBounds()
    {
        var model = MlNetSsa.Fit(Digits, new(10, 11, 22));

        Consume(model, 0);

        Same([0.191492021f, 2.5399406f, 5.26454258f, 7.37313938f], [-3.9741986f, -2.36872721f, 0.09407699f, 2.18899393f],
            [4.3571825f, 7.4486084f, 10.435008f, 12.5572853f], model.Forecast(4));
    }

    [Fact]
    public void Fit_ValuesWithNaN_AsWithoutThem() =>
        Same(MlNetSsa.Fit(Digits, new(10, 11, 22)).Forecast(5), MlNetSsa.Fit(Digits.SelectMany(value => new[] { value, float.NaN }), new(10, 11, 22)).Forecast(5));

    /// <summary>A lone spike at the end is an eigenvector of its own: the last axis.</summary>
    [Fact]
    public void Fit_SeriesThatSpansTheLastAxis_TakesASmallerWindow()
    {
        var model = MlNetSsa.Fit([.. Enumerable.Repeat(0f, 30), 5f], new(6, 7, 31));

        Assert.True(model.Window < 6);
        Assert.All(model.Forecast(10).Values, value => Assert.True(float.IsFinite(value)));
    }

    [Theory]
    [InlineData(MlNetRank.Fixed, 2)]
    [InlineData(MlNetRank.Fast, null)]
    public void Fit_OtherRankSelections_ContinueASine(MlNetRank selection, int? rank)
    {
        static float Sine(int t) => (float)Math.Sin(2 * Math.PI * t / 12);
        var model = MlNetSsa.Fit(Enumerable.Range(0, 120).Select(Sine), new(24, 60, 120) { RankSelection = selection, Rank = rank, MaxRank = 4 });

        Assert.All(model.Forecast(24).Values.Index(), step => Assert.Equal(Sine(120 + step.Index), step.Item, 1e-3f));
    }

    [Theory]
    [InlineData(1, 11, 22)]
    [InlineData(10, 10, 22)]
    [InlineData(10, 11, 20)]
    public void Fit_ParametersMlNetRefuses_AreRefused(int window, int series, int train) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => MlNetSsa.Fit(Digits, new(window, series, train)));

    private static void Consume(MlNetSsa model, params float[] values) => Array.ForEach(values, model.Consume);

    private static void Same(MlNetForecast expected, MlNetForecast actual) => Same(expected.Values, expected.Lower, expected.Upper, actual);

    private static void Same(float[] values, float[] lower, float[] upper, MlNetForecast actual)
    {
        foreach (var (expected, ours) in new[] { (values, actual.Values), (lower, actual.Lower), (upper, actual.Upper) })
        {
            Assert.Equal(expected.Length, ours.Length);
            Assert.All(expected.Zip(ours), pair => Assert.Equal(pair.First, pair.Second, Tolerance));
        }
    }
}
