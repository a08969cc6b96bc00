using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Conformance.Tests;

namespace FhirServer.Tests;

/// <summary><c>backup</c> and <c>restore</c>, as an operator uses them.</summary>
public sealed class BackupTests : IDisposable
{
    private const string Secret = "a-secret-for-tests-only";
    private static readonly KeyValuePair<string, string>[] Client =
    [
        new("Auth:Clients:0:ClientId", "tests"), new("Auth:Clients:0:ClientSecret", Secret), new("Auth:Clients:0:Scope", "system/*.cruds"),
    ];

    // Short, so that the control socket's address fits.
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-bk-").FullName;

    private string Data => Path.Combine(_directory, "data");

    [Fact]
    public async Task Backup_OfARunningServer_CanBeRestored()
    {
        var ct = TestContext.Current.CancellationToken;
        var (first, second) = (Path.Combine(_directory, "first"), Path.Combine(_directory, "second"));
        string patient;
        await using (var server = await RunningServer.StartAsync(Data, [], Client, ct))
        {
            using var http = await Tokens.SignInAsync(server.Base, "tests", Secret, ct);
            patient = await CreateAsync(http, ct);
            Assert.Equal((0, true), await RunAsync("backup", first, ct));
            Assert.True(Directory.Exists(first));
            Assert.Equal((1, false), await RunAsync("backup", first, ct));
            await CreateAsync(http, ct);
        }
        Assert.Equal((0, true), await RunAsync("backup", second, ct)); // nobody runs, and the socket of the killed server is still there
        Assert.Equal((1, false), await RunAsync("restore", first, ct)); // a restore never overwrites

        Directory.Move(Path.Combine(Data, "records"), Path.Combine(_directory, "aside"));
        Assert.Equal((0, true), await RunAsync("restore", first, ct));
        await using (var server = await RunningServer.StartAsync(Data, [], Client, ct))
        {
            using var http = await Tokens.SignInAsync(server.Base, "tests", Secret, ct);
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri($"Patient/{patient}", UriKind.Relative), ct)).StatusCode);
            Assert.Equal(1, (int)JsonNode.Parse(await http.GetStringAsync("Patient?_summary=count", ct))!["total"]!);
        }
    }

    [Fact]
    public async Task Restore_WithoutTheKeyOrWithAnotherOne_ChangesNothing()
    {
        var ct = TestContext.Current.CancellationToken;
        var copy = Path.Combine(_directory, "copy");
        await using (await RunningServer.StartAsync(Data, [], Client, ct))
        {
            Assert.Equal((0, true), await RunAsync("backup", copy, ct));
        }
        var other = Path.Combine(_directory, "other");
        var withoutKey = await RunningServer.RunAsync(other, ["restore", copy], ct);
        Assert.Equal(1, withoutKey.ExitCode);
        Assert.Contains("Keys:File:Path", withoutKey.Output, StringComparison.Ordinal);

        await (await RunningServer.StartAsync(other, [], Client, ct)).DisposeAsync(); // makes a key of its own
        Directory.Delete(Path.Combine(other, "records"), recursive: true);
        var withOtherKey = await RunningServer.RunAsync(other, ["restore", copy], ct);
        Assert.Equal(1, withOtherKey.ExitCode);
        Assert.DoesNotContain("   at ", withOtherKey.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(other, "records")));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private async Task<(int ExitCode, bool Clean)> RunAsync(string command, string directory, CancellationToken ct)
    {
        var (exitCode, output) = await RunningServer.RunAsync(Data, [command, directory], ct);
        Assert.False(string.IsNullOrWhiteSpace(output));
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        return (exitCode, exitCode == 0);
    }

    private static async Task<string> CreateAsync(HttpClient http, CancellationToken ct)
    {
        using var body = new StringContent("""{"resourceType":"Patient"}""", Encoding.UTF8, new MediaTypeHeaderValue("application/fhir+json"));
        using var response = await http.PostAsync(new Uri("Patient", UriKind.Relative), body, ct);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return (string)JsonNode.Parse(await response.Content.ReadAsStringAsync(ct))!["id"]!;
    }
}
