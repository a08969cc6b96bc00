using System.Text.Json;
using Forecasting.Ssa;

namespace Forecasting.Tests.Ssa;

/// <summary>Numbers of Rssa (asl/rssa, its own test data) for a closed-form series: five components, known exactly.</summary>
public sealed class RssaGoldenTests
{
    private static readonly double[] Fr50 = [.. Enumerable.Range(1, 50).Select(t =>
        Math.Cos(2 * Math.PI * t / 7) + (Math.Sin(2 * Math.PI * t / 17) * Math.Exp(1.5 * t / 50)) + Math.Exp(-1.2 * t / 50))];

    private sealed record Case(string Kind, int Window, int[] Components, int[] At, double[] Values);

    private sealed record File(Case[] Cases);

    [Fact]
    public void Fr50_EveryReconstructionAndForecast_AsRssa()
    {
        using var stream = typeof(RssaGoldenTests).Assembly.GetManifestResourceStream("Forecasting.Tests.Golden.rssa_fr50.json")!;
        var cases = JsonSerializer.Deserialize<File>(stream, JsonSerializerOptions.Web)!.Cases;

        Assert.Equal(4 * 15, cases.Length);
        Assert.All(cases, golden =>
        {
            var ssa = SsaDecomposition.Full(Fr50, golden.Window);
            int[] components = [.. golden.Components.Select(one => one - 1)];
            var ours = golden.Kind switch
            {
                "reconstruction" => ssa.Reconstruct(components),
                "recurrent" => ssa.ForecastRecurrent(100, fromOriginal: false, components),
                "recurrentFromOriginal" => ssa.ForecastRecurrent(100, fromOriginal: true, components),
                _ => ssa.ForecastVector(100, components),
            };
            for (var i = 0; i < golden.At.Length; i++)
            {
                Assert.Equal(golden.Values[i], ours![golden.At[i] - 1], 4e-8 * Math.Max(1, Math.Abs(golden.Values[i])));
            }
        });
    }

    [Theory]
    [InlineData(17)]
    [InlineData(24)]
    [InlineData(25)]
    public void Fr50_FiveLeadingComponents_ContinueTheFormula(int window)
    {
        var forecast = SsaDecomposition.Leading(Fr50, window, 5).ForecastRecurrent(3, fromOriginal: false, 0, 1, 2, 3, 4)!;

        Assert.Equal(0.071531, forecast[0], 5e-7);
        Assert.Equal(1.105194, forecast[1], 5e-7);
        Assert.Equal(2.682936, forecast[2], 5e-7);
    }
}
