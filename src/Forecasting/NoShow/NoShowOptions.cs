using System.ComponentModel.DataAnnotations;

namespace Forecasting.NoShow;

/// <summary>Section <c>Forecasting</c>.</summary>
public sealed class NoShowOptions
{
    /// <summary>False: nothing is learned about missed visits, and nobody is told a risk.</summary>
    public bool NoShowRisk { get; set; } = true;

    /// <summary>How often the risk is learned anew.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "90.00:00:00")]
    public TimeSpan TrainEvery { get; set; } = TimeSpan.FromDays(7);

    /// <summary>From this chance of a missed visit on one more reminder is worth its price; 0.05 to 0.95.</summary>
    [Range(0.05, 0.95)]
    public double HighRisk { get; set; } = 0.25;

    /// <summary>Chance that more patients come to a session than it has slots, up to which overbooking is suggested; 0.001 to 0.5.</summary>
    [Range(0.001, 0.5)]
    public double OverflowChance { get; set; } = 0.05;
}
