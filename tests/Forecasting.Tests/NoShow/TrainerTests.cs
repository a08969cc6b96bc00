using System.Text.Json;
using Forecasting.NoShow;

namespace Forecasting.Tests.NoShow;

public sealed class TrainerTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 7, 8, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(999, 200, "there are 999 and")]
    [InlineData(1500, 30, "there are 1500 and 30")]
    public void Train_TooLittleToLearnFrom_IsOffAndSaysHowMuchIsMissing(int visits, int missed, string why)
    {
        var (all, _) = SimulatedClinic.Visits(visits, 300, 1, (_, _, _) => 0);
        var model = NoShowTrainer.Train(all.Select((visit, i) => visit with { Missed = i * missed / visits != (i + 1) * missed / visits }), 1, Now);

        Assert.False(model.IsServing);
        Assert.Null(model.Scorer);
        Assert.Contains(why, model.Refused, StringComparison.Ordinal);
        Assert.Contains("1000 visits", model.Refused, StringComparison.Ordinal);
    }

    /// <summary>Nobody can know more than the true chances do: the model is measured against them.</summary>
    [Fact]
    public void Train_VisitsMissedForReasons_ComesNearToWhoKnowsTheTruth()
    {
        var (visits, chances) = SimulatedClinic.Visits(12_000, 900, 2, SimulatedClinic.Usual);
        var model = NoShowTrainer.Train(visits, 1, Now);

        Assert.True(model.IsServing, model.Refused);
        var later = visits.Zip(chances).OrderBy(pair => pair.First.Start).TakeLast(visits.Count * 15 / 100).Select(pair => (pair.Second, pair.First.Missed)).ToList();
        var truth = Reliability.Of(later, model.Rate);
        Assert.InRange(model.Reliability!.Auc, truth.Auc - 0.05, truth.Auc + 0.01);
        Assert.InRange(model.Reliability.Brier, truth.Brier - 0.002, truth.BrierOfRate - (0.5 * (truth.BrierOfRate - truth.Brier))); // who is forgetful must first be learned from their visits
        Assert.InRange(model.Reliability.CalibrationError, 0, 0.05);
    }

    [Fact]
    public void Train_VisitsMissedByChanceAlone_IsOff()
    {
        var refused = Enumerable.Range(1, 4).Count(seed =>
        {
            var (visits, _) = SimulatedClinic.Visits(3_000, 400, seed, (_, _, _) => -1.5);
            return !NoShowTrainer.Train(visits, 1, Now).IsServing;
        });

        Assert.InRange(refused, 2, 4); // by chance it may be ahead of the usual share by a hair
    }

    /// <summary>Once risk turns on one thing only beyond a bound and only in the morning, trees see it and a straight line does not.</summary>
    [Theory]
    [InlineData(false, "linear")]
    [InlineData(true, "trees")]
    public void Train_WhatMeasuresBetter_IsTaken(bool isTwisted, string kind)
    {
        var (visits, _) = SimulatedClinic.Visits(12_000, 6_000, 3, isTwisted ? (lead, _, hour) => lead > 20 == hour < 12 ? 0.5 : -3.5 : (lead, _, _) => -3 + (0.7 * Math.Log(1 + lead)));

        var model = NoShowTrainer.Train(visits, 1, Now);

        Assert.Equal(kind, model.Scorer is TreeScorer ? "trees" : "linear");
    }

    [Fact]
    public void Train_TheSameVisitsInAnotherOrder_IsTheSameModel()
    {
        var (visits, _) = SimulatedClinic.Visits(2_500, 300, 4, SimulatedClinic.Usual);
        string Json(IEnumerable<DecidedVisit> of) => JsonSerializer.Serialize(NoShowTrainer.Train(of, 1, Now), NoShowJson.Default.NoShowModel);

        Assert.Equal(Json(visits), Json(visits.AsEnumerable().Reverse()));
    }

    [Fact]
    public void Model_WrittenAndRead_SaysTheSame()
    {
        var (visits, _) = SimulatedClinic.Visits(3_000, 300, 5, SimulatedClinic.Usual);
        foreach (RiskScorer scorer in (RiskScorer[])[BoostedTrees.Train(Samples(visits)), LogisticRegression.Train(Samples(visits))])
        {
            var model = NoShowTrainer.Train(visits, 7, Now) with { Scorer = scorer };
            var read = JsonSerializer.Deserialize(JsonSerializer.Serialize(model, NoShowJson.Default.NoShowModel), NoShowJson.Default.NoShowModel)!;

            Assert.Equal(model.Number, read.Number);
            Assert.All(visits.Take(50), visit => Assert.Equal(model.Estimate(visit, null).Chance, read.Estimate(visit, null).Chance, 1e-12));
        }
    }

    /// <summary>What a patient did on the same day, or later, must not tell what they do now.</summary>
    [Fact]
    public void History_OfTheLastDay_IsNotKnownYet()
    {
        var start = new DateTimeOffset(2029, 1, 1, 9, 0, 0, TimeSpan.Zero);
        // Every visit is followed, an hour later, by one with the same outcome; who looked there would be right always.
        var random = new Random(6);
        var visits = Enumerable.Range(0, 1_500).SelectMany(i =>
        {
            var missed = random.Next(4) == 0;
            var visit = new DecidedVisit($"p{i}", start.AddHours(4 * i), DayOfWeek.Monday, 9, 5, "", 0, missed);
            return new[] { visit, visit with { Start = visit.Start.AddHours(1) } };
        }).ToList();

        var measured = NoShowTrainer.Measure([.. visits.OrderBy(visit => visit.Start)], BoostedTrees.Train);

        Assert.InRange(measured.Auc, 0.4, 0.6);
    }

    private static List<(float[], bool)> Samples(IEnumerable<DecidedVisit> visits) => [.. visits.Select(visit => (NoShowFeatures.Of(visit, null, 0.2, 0.2), visit.Missed))];
}
