using System.Diagnostics;
using System.Text;

namespace FhirServer.Tests.Demo;

/// <summary>The <c>sh</c> blocks of a guide, run one after the other in one shell, as a reader would paste them.</summary>
internal static class ShellBlocks
{
    public static bool CanRun(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    public static async Task<List<string>> ReadAsync(string path, CancellationToken ct)
    {
        var blocks = new List<string>();
        StringBuilder? block = null;
        foreach (var line in await File.ReadAllLinesAsync(path, ct))
        {
            if (block is null)
            {
                block = line == "```sh" ? new() : null;
            }
            else if (line == "```")
            {
                blocks.Add(block.ToString());
                block = null;
            }
            else
            {
                block.Append(line).Append('\n');
            }
        }
        return blocks;
    }

    /// <param name="folder">Where it runs; null for anywhere.</param>
    public static async Task<(int ExitCode, string Output)> RunAsync(string script, string? folder, string fhirBase, string clientId, string clientSecret, CancellationToken ct)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-x", "-c", script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? "",
            Environment = { ["BASE"] = fhirBase, ["CLIENT_ID"] = clientId, ["CLIENT_SECRET"] = clientSecret, ["no_proxy"] = "*" },
        })!;
        shell.StandardInput.Close();
        var (output, errors) = (shell.StandardOutput.ReadToEndAsync(ct), shell.StandardError.ReadToEndAsync(ct));
        await shell.WaitForExitAsync(ct);
        return (shell.ExitCode, await output + await errors);
    }
}
