using System.Text;
using Conformance.Tests;

namespace FhirServer.Tests.Demo;

[Collection("the demo server, which one test restarts")]
public sealed class ReadmeTourTests(DemoServer demo)
{
    [Fact]
    public async Task Tour_EveryCommand_Succeeds()
    {
        var output = await RunAsync("README.md", 6, "test -n \"$PATIENT\"\ntest -n \"$SLOT\"\ntest -n \"$APPOINTMENT\"\n");

        Assert.Contains("\"status\":\"booked\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GuideToApps_EveryCommand_Succeeds()
    {
        var output = await RunAsync("docs/smart-apps.md", 1, "");

        Assert.Contains("\"registration_status\":\"pending\"", output, StringComparison.Ordinal);
    }

    /// <summary>Every <c>sh</c> block of a page, one after the other in one shell, as a reader would paste them.</summary>
    private async Task<string> RunAsync(string page, int atLeast, string then)
    {
        Assert.SkipUnless(ShellBlocks.CanRun("sh") && ShellBlocks.CanRun("curl"), "The tour needs sh and curl.");
        var ct = TestContext.Current.CancellationToken;
        var blocks = await ShellBlocks.ReadAsync(Path.Combine(RunningServer.RepositoryRoot, page), ct);
        Assert.True(blocks.Count >= atLeast, $"{page} has lost its commands.");
        var script = new StringBuilder("set -eu\n").AppendJoin("", blocks).Append(then).Append("echo 'The tour is over.'\n");

        var server = await demo.GetAsync(ct);
        var (exitCode, output) = await ShellBlocks.RunAsync(script.ToString(), null, server.Base.ToString().TrimEnd('/'), demo.ClientId, demo.ClientSecret, ct);

        Assert.True(exitCode == 0, $"{page} ended with {exitCode}:\n{output}");
        Assert.Contains("The tour is over.", output, StringComparison.Ordinal);
        return output;
    }
}
