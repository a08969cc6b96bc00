namespace Forecasting.NoShow;

/// <summary>How a patient kept their visits so far.</summary>
internal sealed class PatientHistory
{
    /// <summary>As many visits at the clinic's own rate stand beside a patient's: two missed of two is no certainty.</summary>
    private const double Doubt = 3;

    public int Visits { get; private set; }

    public int Missed { get; private set; }

    public bool LastMissed { get; private set; }

    public DateTimeOffset? Last { get; private set; }

    /// <summary>To be told in the order of time.</summary>
    public void Add(DateTimeOffset start, bool missed)
    {
        Visits++;
        Missed += missed ? 1 : 0;
        (LastMissed, Last) = (missed, start);
    }

    /// <summary>Share of missed visits, drawn to that of all patients.</summary>
    public double MissedShare(double usual) => (Missed + (Doubt * usual)) / (Visits + Doubt);
}
