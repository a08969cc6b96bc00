using System.Collections.Immutable;
using System.Globalization;

namespace Forecasting.NoShow;

/// <summary>
/// Learns the risk from decided visits. Boosted trees and logistic regression are both trained; what says better on later visits what
/// became of them is taken, if it is good enough to be used at all. A pure function: the same visits give the same model.
/// </summary>
internal static class NoShowTrainer
{
    public const int LeastDecided = 1_000;
    public const int LeastMissed = 100;

    /// <summary>What was said and what happened may differ by so much more than by chance, on average over tenths of the visits.</summary>
    private const double MostCalibrationError = 0.03;

    /// <summary>Of the visits in order of time: learned from, then calibrated on, then measured on.</summary>
    private const double Learned = 0.70, Calibrated = 0.15;

    /// <param name="visits">In any order.</param>
    public static NoShowModel Train(IEnumerable<DecidedVisit> visits, int number, DateTimeOffset now)
    {
        var sorted = visits.OrderBy(visit => visit.Start).ThenBy(visit => visit.Patient, StringComparer.Ordinal).ThenBy(visit => visit.Service, StringComparer.Ordinal)
            .ThenBy(visit => visit.LeadDays).ThenBy(visit => visit.Missed).ToList();
        var missed = sorted.Count(visit => visit.Missed);
        var rate = sorted.Count == 0 ? 0 : (double)missed / sorted.Count;
        var empty = new NoShowModel(number, now, sorted.Count, missed, null, rate, NoShowModel.RatesOf([], rate), null, Calibration.None, null);
        if (sorted.Count < LeastDecided || missed < LeastMissed)
        {
            return empty with
            {
                Refused = string.Create(CultureInfo.InvariantCulture, $"It takes {LeastDecided} visits of which it is known whether the patient came, {LeastMissed} of them missed; there are {sorted.Count} and {missed}."),
            };
        }
        var (best, report) = (default(Func<IReadOnlyList<(float[], bool)>, RiskScorer>), default(Reliability));
        foreach (var train in (Func<IReadOnlyList<(float[], bool)>, RiskScorer>[])[BoostedTrees.Train, LogisticRegression.Train])
        {
            var reliability = Measure(sorted, train);
            if (report is null || reliability.LogLoss < report.LogLoss)
            {
                (best, report) = (train, reliability);
            }
        }
        var (scorer, calibration, _, rates) = Learn(sorted, best!, 1 - Calibrated, Calibrated);
        return empty with { Scorer = scorer, Calibration = calibration, ServiceRates = rates, Reliability = report, Refused = Judge(report!) };
    }

    /// <returns>Why such a model is not to be used; null where it is.</returns>
    private static string? Judge(Reliability report) =>
        report.Brier >= report.BrierOfRate ? "On later visits it said no more than the usual share of missed visits does."
        : report.CalibrationError > report.ChanceError + MostCalibrationError ? "On later visits what it said and what happened were too far apart."
        : null;

    /// <summary>How a way to learn does on the latest visits, learning from earlier ones only.</summary>
    internal static Reliability Measure(List<DecidedVisit> sorted, Func<IReadOnlyList<(float[], bool)>, RiskScorer> train)
    {
        var (scorer, calibration, samples, _) = Learn(sorted, train, Learned, Calibrated);
        var later = samples[(int)(sorted.Count * (Learned + Calibrated))..];
        var additions = new double[NoShowFeatures.Count];
        var earlier = sorted.Take((int)(sorted.Count * (Learned + Calibrated))).ToList();
        return Reliability.Of([.. later.Select(sample => (calibration.Chance(scorer.Score(sample.Features, additions)), sample.Missed))], (double)earlier.Count(visit => visit.Missed) / earlier.Count);
    }

    private static (RiskScorer Scorer, Calibration Calibration, List<(float[] Features, bool Missed)> Samples, ImmutableDictionary<string, double> Rates) Learn(
        List<DecidedVisit> sorted, Func<IReadOnlyList<(float[], bool)>, RiskScorer> train, double learned, double calibrated)
    {
        var (first, second) = ((int)(sorted.Count * learned), (int)(sorted.Count * (learned + calibrated)));
        var known = sorted.Take(first).ToList();
        var rate = (double)known.Count(visit => visit.Missed) / known.Count;
        var rates = NoShowModel.RatesOf(known, rate);
        var samples = Samples(sorted, rate, rates);
        var scorer = train(samples[..first]);
        var additions = new double[NoShowFeatures.Count];
        var calibration = Calibration.Fit([.. samples[first..second].Select(sample => (scorer.Score(sample.Features, additions), sample.Missed))]);
        return (scorer, calibration, samples, rates);
    }

    /// <summary>Features as they were a day before each visit: of the patient's visits those that were over by then.</summary>
    private static List<(float[] Features, bool Missed)> Samples(List<DecidedVisit> sorted, double rate, ImmutableDictionary<string, double> rates)
    {
        var histories = new Dictionary<string, (PatientHistory Known, Queue<DecidedVisit> Pending)>(StringComparer.Ordinal);
        var samples = new List<(float[], bool)>(sorted.Count);
        foreach (var visit in sorted)
        {
            if (!histories.TryGetValue(visit.Patient, out var history))
            {
                histories[visit.Patient] = history = (new(), new());
            }
            while (history.Pending.TryPeek(out var before) && before.Start <= visit.Start - NoShowRisk.KnownBefore)
            {
                history.Known.Add(before.Start, before.Missed);
                history.Pending.Dequeue();
            }
            samples.Add((NoShowFeatures.Of(visit, history.Known, rate, rates.GetValueOrDefault(visit.Service, rate)), visit.Missed));
            history.Pending.Enqueue(visit);
        }
        return samples;
    }
}
