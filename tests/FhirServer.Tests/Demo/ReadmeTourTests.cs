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
        Assert.SkipUnless(ShellBlocks.CanRun("sh") && ShellBlocks.CanRun("curl"), "The tour needs sh and curl.");
        var ct = TestContext.Current.CancellationToken;
        var blocks = await ShellBlocks.ReadAsync(Path.Combine(RunningServer.RepositoryRoot, "README.md"), ct);
        Assert.True(blocks.Count >= 6, "The README has lost its tour.");
        var script = new StringBuilder("set -eu\n");
        foreach (var block in blocks)
        {
            script.Append(block);
        }
        script.Append("test -n \"$PATIENT\"\ntest -n \"$SLOT\"\ntest -n \"$APPOINTMENT\"\necho 'The tour is over.'\n");

        var server = await demo.GetAsync(ct);
        var (exitCode, output) = await ShellBlocks.RunAsync(script.ToString(), null, server.Base.ToString().TrimEnd('/'), demo.ClientId, demo.ClientSecret, ct);

        Assert.True(exitCode == 0, $"The tour ended with {exitCode}:\n{output}");
        Assert.Contains("The tour is over.", output, StringComparison.Ordinal);
        Assert.Contains("\"status\":\"booked\"", output, StringComparison.Ordinal);
    }
}
