using System.Globalization;

namespace FhirServer.Commands;

/// <summary>A bar on a terminal, a line for each file elsewhere; problems always on lines of their own.</summary>
internal sealed class ImportProgress(TextWriter output, bool terminal, long totalBytes, TimeProvider clock)
{
    private const int Width = 30;
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(100);
    private long _drawn;
    private long _bytes;
    private bool _barShown;

    public long Resources { get; private set; }

    public long Errors { get; private set; }

    public void Advance(long bytes, int resources)
    {
        _bytes += bytes;
        Resources += resources;
        if (terminal && (_drawn == 0 || clock.GetElapsedTime(_drawn) >= Redraw))
        {
            Draw();
        }
    }

    public void FileDone(string path, long resources, bool wasThere)
    {
        if (!terminal)
        {
            output.WriteLine(wasThere
                ? $"{Path.GetFileName(path)}: imported before, passed over"
                : string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(path)}: {resources} resources"));
        }
    }

    /// <param name="place">File and line or entry: <c>patients.ndjson:17</c>.</param>
    public void Problem(string place, FhirCore.FhirFailure failure)
    {
        Errors++;
        Clear();
        foreach (var issue in failure.Issues)
        {
            output.WriteLine(issue.Expression is null ? $"{place}: {issue.Diagnostics}" : $"{place}: {issue.Expression}: {issue.Diagnostics}");
        }
    }

    public void End(string line)
    {
        if (terminal)
        {
            Draw();
            output.WriteLine();
        }
        output.WriteLine(line);
    }

    private void Draw()
    {
        var share = totalBytes == 0 ? 1 : Math.Min(1, (double)_bytes / totalBytes);
        var filled = (int)(share * Width);
        output.Write(string.Create(
            CultureInfo.InvariantCulture, $"\r[{new string('#', filled)}{new string('.', Width - filled)}] {share * 100,3:0} %  {Resources} resources  {Errors} errors "));
        _drawn = clock.GetTimestamp();
        _barShown = true;
    }

    private void Clear()
    {
        if (_barShown)
        {
            output.Write("\r" + new string(' ', Width + 48) + "\r");
            _barShown = false;
        }
    }
}
