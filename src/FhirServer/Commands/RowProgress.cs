using System.Globalization;

namespace FhirServer.Commands;

/// <summary>One line redrawn each second on a terminal, a line each ten seconds elsewhere: rows, share, rate, time left.</summary>
internal sealed class RowProgress(TextWriter output, bool terminal, TimeProvider clock)
{
    private static readonly TimeSpan OnTerminal = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Elsewhere = TimeSpan.FromSeconds(10);
    private string _doing = "";
    private long _first;
    private long _began;
    private long _said;
    private bool _lineOpen;

    /// <param name="rows">Done so far, those of an earlier run too.</param>
    /// <param name="about">How many there are, about.</param>
    public void Tell(string doing, long rows, long about)
    {
        if (doing != _doing)
        {
            // The rate is that of this phase in this run.
            (_doing, _first, _began, _said) = (doing, rows, clock.GetTimestamp(), clock.GetTimestamp());
            return;
        }
        if (clock.GetElapsedTime(_said) < (terminal ? OnTerminal : Elsewhere))
        {
            return;
        }
        _said = clock.GetTimestamp();
        var rate = (rows - _first) / Math.Max(clock.GetElapsedTime(_began).TotalSeconds, 0.001);
        var line = Line(doing, rows, about, rate);
        if (terminal)
        {
            output.Write($"\r{line,-78}");
            _lineOpen = true;
        }
        else
        {
            output.WriteLine(line);
        }
    }

    /// <summary>Whatever is written next begins a line of its own.</summary>
    public void End()
    {
        if (_lineOpen)
        {
            output.WriteLine();
            _lineOpen = false;
        }
    }

    /// <remarks>The number of rows is an estimate, so the share stops at 99 % and no time is told once it is passed.</remarks>
    internal static string Line(string doing, long rows, long about, double rate)
    {
        var share = about <= 0 ? 0 : Math.Min(0.99, (double)rows / about);
        var left = rate > 0 && about > rows ? TimeSpan.FromSeconds(Math.Min((about - rows) / rate, 359_999)) : (TimeSpan?)null;
        return string.Create(CultureInfo.InvariantCulture, $"{doing}: {rows:#,0} rows, {Math.Floor(share * 100):0} %, {rate:#,0} rows/s{(left is { } time ? $", {(int)time.TotalHours:00}:{time:mm\\:ss} left" : "")}");
    }
}
