using System.Diagnostics;
using System.Text;
using Conformance.Tests;
using FhirServer.Settings;
using Microsoft.Extensions.Configuration;
using Tests.Shared;

namespace FhirServer.Tests.Copying;

/// <summary>docs/moving-to-mongodb.md: every command on it, one after the other in one shell.</summary>
public sealed class MovingGuideTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-moving-").FullName;

    [Fact]
    public async Task Guide_EveryCommand_Succeeds()
    {
        var ct = TestContext.Current.CancellationToken;
        var guide = await File.ReadAllLinesAsync(Path.Combine(RunningServer.RepositoryRoot, "docs", "moving-to-mongodb.md"), ct);
        var script = new StringBuilder("set -eu\nFhirServer() { dotnet \"$FHIR_DLL\" \"$@\"; }\n");
        var inBlock = false;
        var commands = 0;
        foreach (var line in guide)
        {
            inBlock = inBlock ? line != "```" : line == "```sh";
            if (inBlock && line != "```sh")
            {
                script.AppendLine(line);
                commands += line.StartsWith("FhirServer ", StringComparison.Ordinal) ? 1 : 0;
            }
        }
        Assert.Equal(4, commands);
        SkipUnlessOffered();

        var uri = MongoServer.UriOrSkip();
        var database = MongoServer.NewDatabase();
        var data = Path.Combine(_directory, "data");
        var secrets = Directory.CreateDirectory(Path.Combine(_directory, "secrets")).FullName;
        var target = Path.Combine(secrets, "Storage__MongoDb__ConnectionString");
        await File.WriteAllTextAsync(target, uri.Replace("/?", $"/{database}?", StringComparison.Ordinal), ct);
        var patients = Path.Combine(_directory, "patients.ndjson");
        await File.WriteAllLinesAsync(patients, Enumerable.Range(0, 300).Select(i => $$"""{"resourceType":"Patient","id":"p{{i}}","name":[{"family":"Planted"}]}"""), ct);
        Assert.Equal(0, (await RunningServer.RunAsync(data, ["import", patients], ct)).ExitCode);

        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", script.ToString()])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["FHIR_DLL"] = typeof(FhirServer.Hosting.FhirApplication).Assembly.Location, ["DATA"] = data, ["TARGET"] = target, ["DATABASE"] = database },
        })!;
        var (said, complained) = (shell.StandardOutput.ReadToEndAsync(ct), shell.StandardError.ReadToEndAsync(ct));
        await shell.WaitForExitAsync(ct);
        var output = await said + await complained;
        Assert.True(shell.ExitCode == 0, output);
        Assert.Equal(2, output.Split("The copy is complete.").Length - 1);
        Assert.Equal(2, output.Split("No damage found.").Length - 1);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static void SkipUnlessOffered()
    {
        try
        {
            ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection([new("Storage:Provider", "MongoDb")]).Build());
        }
        catch (SettingsException wrong)
        {
            Assert.SkipWhen(wrong.Problems.Any(problem => problem.Contains("not offered by this version", StringComparison.Ordinal)), wrong.Problems[0]);
        }
    }
}
