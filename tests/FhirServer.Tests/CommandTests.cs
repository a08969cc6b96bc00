using Conformance.Tests;
using FhirCore.Records;
using FhirServer.Commands;
using FhirServer.Settings;
using Microsoft.Extensions.Configuration;
using Storage.RocksDb;

namespace FhirServer.Tests;

/// <summary><c>health</c>, <c>verify</c>, and settings that come from files.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-commands-").FullName;

    private string Data => Path.Combine(_directory, "data");

    [Fact]
    public async Task Health_TellsWhetherTheServerIsReady()
    {
        var ct = TestContext.Current.CancellationToken;
        string urls;
        await using (var server = await RunningServer.StartAsync(Data, [], [], ct))
        {
            urls = $"--urls={server.Base.GetLeftPart(UriPartial.Authority)}";
            var (ready, said) = await RunAsync(ct, "health", urls);
            Assert.Equal(0, ready);
            Assert.StartsWith("{\"status\":\"ready\"", said, StringComparison.Ordinal);
        }
        var (exitCode, output) = await RunAsync(ct, "health", urls);
        Assert.Equal(1, exitCode);
        Assert.StartsWith("No answer", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://*:8080", "http://localhost:8080/")]
    [InlineData("http://0.0.0.0:80;http://10.0.0.1:81", "http://localhost/")]
    [InlineData("http://[::]:8080", "http://localhost:8080/")]
    [InlineData("http://127.0.0.1:5000", "http://127.0.0.1:5000/")]
    public void Health_AsksTheFirstAddress(string urls, string asked) => Assert.Equal(asked, HealthCommand.Address(urls).AbsoluteUri);

    [Fact]
    public async Task Verify_OfAServersStore_TellsTheDamagedRow()
    {
        var ct = TestContext.Current.CancellationToken;
        var line = """{"resourceType":"Patient","id":"p1","name":[{"family":"Planted"}]}""";
        var file = Path.Combine(_directory, "patients.ndjson");
        await File.WriteAllLinesAsync(file, [line, line.Replace("p1", "p2", StringComparison.Ordinal)], ct);
        Assert.Equal(0, (await RunAsync(ct, "import", file)).ExitCode);

        var (good, said) = await RunAsync(ct, "verify");
        Assert.True(good == 0, said);
        Assert.Contains("No damage found.", said, StringComparison.Ordinal);
        Assert.Contains("The log ends at 2.", said, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync(ct, "verify", "--log-end-at-least=3")).ExitCode);

        await using (var store = RocksDbRecordStore.Open(new() { Directory = Path.Combine(Data, "records") }, TimeProvider.System))
        {
            var record = (await store.GetAsync(new("Patient", "p2"), ct))!;
            var body = record.Body.ToArray();
            body[^1] ^= 1;
            await store.WriteAsync([new StoreRow.Current(record with { Body = body }, 2)], ct);
        }
        var (bad, found) = await RunAsync(ct, "verify");
        Assert.Equal(1, bad);
        Assert.Contains("unreadable: Patient/p2 version 1", found, StringComparison.Ordinal);
        Assert.DoesNotContain("Patient/p1", found, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_WhereThereIsNoDatabase_MakesNone()
    {
        var (exitCode, output) = await RunAsync(TestContext.Current.CancellationToken, "verify");
        Assert.Equal(1, exitCode);
        Assert.Contains("there is no database", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Data));
    }

    [Fact]
    public void SecretFiles_AreSettings_AndWin()
    {
        File.WriteAllText(Path.Combine(_directory, "Server__MaxBodyBytes"), "4096\n");
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection([new(SecretFiles.Key, _directory), new("Server:MaxBodyBytes", "8192")]);
        configuration.AddSecretFiles();
        Assert.Equal(4096, ServerSettings.Read(configuration).MaxBodyBytes);
    }

    [Fact]
    public void SecretFiles_OfAFolderThatIsNotThere_StopTheStart()
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection([new(SecretFiles.Key, Path.Combine(_directory, "nowhere"))]);
        Assert.StartsWith(SecretFiles.Key, Assert.Throws<SettingsException>(configuration.AddSecretFiles).Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task SecretFiles_ReachTheServerThatStarts()
    {
        var secrets = Directory.CreateDirectory(Path.Combine(_directory, "secrets")).FullName;
        await File.WriteAllTextAsync(Path.Combine(secrets, "Storage__Provider"), "Paper", TestContext.Current.CancellationToken);
        var (exitCode, output) = await RunAsync(TestContext.Current.CancellationToken, $"--Server:SecretsDirectory={secrets}");
        Assert.Equal(1, exitCode);
        Assert.Contains("Storage:Provider", output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private async Task<(int ExitCode, string Output)> RunAsync(CancellationToken ct, params string[] arguments)
    {
        var (exitCode, output) = await RunningServer.RunAsync(Data, arguments, ct);
        return (exitCode, output.Trim());
    }
}
