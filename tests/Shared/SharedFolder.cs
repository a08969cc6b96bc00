using System.Diagnostics;

namespace Tests.Shared;

/// <summary>Servers for tests that the folder <c>shared</c> beside the repository, or the one that <c>FHIR_SHARED</c> names, knows how to start and stop.</summary>
internal static class SharedFolder
{
    /// <param name="server">A folder in it, with a script <c>start</c>.</param>
    /// <returns>Null where there is none.</returns>
    public static string? Find(string server)
    {
        if (Environment.GetEnvironmentVariable("FHIR_SHARED") is { Length: > 0 } told)
        {
            return Has(told);
        }
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Fhir.sln")) && folder.Parent is { } beside)
            {
                return Has(Path.Combine(beside.FullName, "shared"));
            }
        }
        return null;

        string? Has(string shared) => File.Exists(Path.Combine(shared, server, "start")) ? Path.Combine(shared, server) : null;
    }

    /// <summary>Runs a script to its end.</summary>
    /// <param name="output">What it printed: where it failed, as errors.</param>
    /// <returns>Whether it ended in time, and well.</returns>
    public static bool TryRun(ProcessStartInfo script, TimeSpan patience, out string output)
    {
        (script.RedirectStandardOutput, script.RedirectStandardError, script.UseShellExecute) = (true, true, false);
        using var process = Process.Start(script)!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(patience))
        {
            process.Kill(entireProcessTree: true);
            output = $"no answer within {patience.TotalSeconds:0} s";
            return false;
        }
        output = process.ExitCode == 0 ? text.GetAwaiter().GetResult() : errors.GetAwaiter().GetResult();
        return process.ExitCode == 0;
    }

    /// <summary>The last line of what a script printed: where the server can be reached.</summary>
    public static string LastLine(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];
}
