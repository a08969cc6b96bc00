using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Conformance.Tests;
using Tests.Shared;

namespace FhirServer.Tests.Demo;

/// <summary>docs/subscriptions.md on a demo of its own, with a receiver that the developer of an app would have.</summary>
public sealed class SubscriptionGuideTests
{
    [Fact]
    public async Task Guide_EveryCommand_IsToldAndChecksTheSignature()
    {
        foreach (var program in (string[])["sh", "curl", "openssl"])
        {
            Assert.SkipUnless(ShellBlocks.CanRun(program), $"The guide needs {program}.");
        }
        var ct = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("fhir-subscription-guide-").FullName;
        using var receiver = new HttpListener();
        var authority = $"127.0.0.1:{FreePort.Draw()}";
        receiver.Prefixes.Add($"http://{authority}/");
        receiver.Start();
        var serving = ServeAsync(receiver, folder);
        try
        {
            await using var server = await RunningServer.StartAsync(
                Path.Combine(folder, "data"), ["--demo", "--Demo:HistoryWeeks=0"],
                [new("Subscriptions:AllowedPrivateEndpoints:0", authority)], ct);
            var client = DemoServer.Credentials().Match(server.Output);
            var blocks = await ShellBlocks.ReadAsync(Path.Combine(RunningServer.RepositoryRoot, "docs", "subscriptions.md"), ct);
            Assert.True(blocks.Count >= 7, "The guide has lost its commands.");
            var check = blocks.FindIndex(block => block.Contains("openssl", StringComparison.Ordinal));
            blocks.Insert(check, "until test -f notification.json; do sleep 0.1; done\n"); // the guide has the reader save them
            var script = new StringBuilder($"set -eu\nRECEIVER=http://{authority}/hook\n").AppendJoin("", blocks).Append("echo 'The guide is over.'\n");

            var (exitCode, output) = await ShellBlocks.RunAsync(script.ToString(), folder, server.Base.ToString().TrimEnd('/'), client.Groups[1].Value, client.Groups[2].Value, ct);

            Assert.True(exitCode == 0, $"The guide ended with {exitCode}:\n{output}");
            Assert.Contains("The guide is over.", output, StringComparison.Ordinal);
            Assert.Contains("The endpoint answered 500.", output, StringComparison.Ordinal);
            Assert.Contains("X-Api-Key: 42", await File.ReadAllTextAsync(Path.Combine(folder, "headers.txt"), ct), StringComparison.OrdinalIgnoreCase);
        }
        finally
        {
            receiver.Close();
            await serving;
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Takes everything but what comes to <c>/hook/broken</c>, and saves the first notification of an event.</summary>
    private static async Task ServeAsync(HttpListener receiver, string folder)
    {
        try
        {
            while (true)
            {
                var context = await receiver.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
                var body = await reader.ReadToEndAsync();
                var file = Path.Combine(folder, "notification.json");
                if (TypeOf(body) == "event-notification" && !File.Exists(file))
                {
                    var headers = context.Request.Headers.AllKeys.Select(name => $"{name!.Replace("Webhook", "webhook", StringComparison.Ordinal)}: {context.Request.Headers[name]}\n");
                    await File.WriteAllTextAsync(Path.Combine(folder, "headers.txt"), string.Concat(headers));
                    await File.WriteAllTextAsync(file + ".part", body);
                    File.Move(file + ".part", file);
                }
                context.Response.StatusCode = context.Request.Url!.AbsolutePath.EndsWith("/broken", StringComparison.Ordinal) ? 500 : 200;
                context.Response.Close();
            }
        }
        catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private static string? TypeOf(string body) =>
        (string?)JsonNode.Parse(body)!["entry"]![0]!["resource"]!["parameter"]!.AsArray().Single(parameter => (string?)parameter!["name"] == "type")!["valueCode"];
}
