using System.Diagnostics;
using System.Text;
using Conformance.Tests;

namespace FhirServer.Tests.Demo;

[Collection("the demo server, which one test restarts")]
public sealed class ReadmeTourTests(DemoServer demo)
{
    /// <summary>Every <c>sh</c> block of the README, one after the other in one shell, as a reader would paste them.</summary>
    [Fact]
    public async Task Tour_EveryCommand_Succeeds()
    {
        Assert.SkipUnless(CanRun("sh") && CanRun("curl"), "The tour needs sh and curl.");
        var ct = TestContext.Current.CancellationToken;
        var blocks = Blocks(await File.ReadAllLinesAsync(Path.Combine(RunningServer.RepositoryRoot, "README.md"), ct));
        Assert.True(blocks.Count >= 6, "The README has lost its tour.");
        var script = new StringBuilder("set -eu\n");
        foreach (var block in blocks)
        {
            script.Append(block);
        }
        script.Append("test -n \"$PATIENT\"\ntest -n \"$SLOT\"\ntest -n \"$APPOINTMENT\"\necho 'The tour is over.'\n");

        var server = await demo.GetAsync(ct);
        var (exitCode, output) = await RunAsync(script.ToString(), server.Base.ToString().TrimEnd('/'), ct);

        Assert.True(exitCode == 0, $"The tour ended with {exitCode}:\n{output}");
        Assert.Contains("The tour is over.", output, StringComparison.Ordinal);
        Assert.Contains("\"status\":\"booked\"", output, StringComparison.Ordinal);
    }

    private static List<string> Blocks(string[] lines)
    {
        var blocks = new List<string>();
        StringBuilder? block = null;
        foreach (var line in lines)
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

    private async Task<(int ExitCode, string Output)> RunAsync(string script, string fhirBase, CancellationToken ct)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-x", "-c", script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            Environment = { ["BASE"] = fhirBase, ["CLIENT_ID"] = demo.ClientId, ["CLIENT_SECRET"] = demo.ClientSecret, ["no_proxy"] = "*" },
        })!;
        shell.StandardInput.Close();
        var (output, errors) = (shell.StandardOutput.ReadToEndAsync(ct), shell.StandardError.ReadToEndAsync(ct));
        await shell.WaitForExitAsync(ct);
        return (shell.ExitCode, await output + await errors);
    }

    private static bool CanRun(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
