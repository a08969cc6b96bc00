using System.Text;
using System.Text.Json.Nodes;
using Conformance.Tests;

namespace FhirServer.Tests.Import;

public sealed class ImportResumeTests : IDisposable
{
    private const int Files = 5;
    private const int LinesOfAFile = 300;
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-resume-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_directory, "data");

    /// <summary>Lines without ids: whatever is imported twice is there twice.</summary>
    [Fact]
    public async Task Import_KilledInTheMiddleAndRunAgain_LosesAndDoublesNothing()
    {
        var input = Directory.CreateDirectory(Path.Combine(_directory, "input")).FullName;
        for (var file = 0; file < Files; file++)
        {
            var lines = Enumerable.Range(0, LinesOfAFile).Select(line => $$"""{"resourceType":"Practitioner","identifier":[{"system":"urn:test","value":"{{file}}-{{line}}"}]}""");
            await File.WriteAllLinesAsync(Path.Combine(input, $"part-{file}.ndjson"), lines, Ct);
        }

        var (killed, _) = await RunningServer.RunAsync(Data, ["import", input], Ct, killWhen: "part-1.ndjson");
        var (exitCode, output) = await RunningServer.RunAsync(Data, ["import", input], Ct);

        Assert.NotEqual(0, killed);
        Assert.True(exitCode == 0, output);
        Assert.Contains("part-0.ndjson: imported before", output, StringComparison.Ordinal);
        var found = await ReadAllAsync("Practitioner");
        Assert.Equal(Files * LinesOfAFile, found.Count);
        Assert.Equal(found.Count, found.Select(practitioner => (string?)practitioner["identifier"]![0]!["value"]).Distinct().Count());
    }

    [Fact]
    public async Task Import_BadLines_AreNamedAndCostNoOther()
    {
        var file = Path.Combine(_directory, "mixed.ndjson");
        await File.WriteAllTextAsync(
            file,
            """
            {"resourceType":"Patient","id":"first","name":[{"family":"Kept"}]}
            {"resourceType":"Patient","id":"second","active":"perhaps"}

            not json
            {"resourceType":"Patient","id":"first","name":[{"family":"Kept later"}]}
            {"resourceType":"Patient","id":"last"}
            """,
            new UTF8Encoding(false),
            Ct);

        var (exitCode, output) = await RunningServer.RunAsync(Data, ["import", file], Ct);

        Assert.Equal(1, exitCode);
        Assert.Contains("mixed.ndjson:2: Patient.active:", output, StringComparison.Ordinal);
        Assert.Contains("mixed.ndjson:4:", output, StringComparison.Ordinal);
        Assert.Contains("3 resources imported, 2 errors", output, StringComparison.Ordinal);
        var patients = await ReadAllAsync("Patient");
        Assert.Equal(["first", "last"], patients.Select(patient => (string?)patient["id"]).Order(StringComparer.Ordinal));
        Assert.Contains(patients, patient => (string?)patient["name"]?[0]?["family"] == "Kept later");
    }

    [Fact]
    public async Task Import_ABundleThatIsRefused_WritesNothingAndSaysWhere()
    {
        var file = Path.Combine(_directory, "bundle.json");
        await File.WriteAllTextAsync(
            file,
            """
            {"resourceType":"Bundle","type":"transaction","entry":[
              {"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}},
              {"resource":{"resourceType":"Patient","birthDate":"soon"},"request":{"method":"POST","url":"Patient"}}]}
            """,
            Ct);

        var (exitCode, output) = await RunningServer.RunAsync(Data, ["import", file], Ct);

        Assert.Equal(1, exitCode);
        Assert.Contains("bundle.json: Bundle.entry[1].resource.birthDate", output, StringComparison.Ordinal);
        Assert.Empty(await ReadAllAsync("Patient"));
    }

    [Fact]
    public async Task Import_OfNothing_SaysSo()
    {
        var (exitCode, output) = await RunningServer.RunAsync(Data, ["import", Path.Combine(_directory, "absent")], Ct);

        Assert.Equal(1, exitCode);
        Assert.Contains("There is no file or folder", output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private async Task<List<JsonNode>> ReadAllAsync(string type)
    {
        const string Secret = "reader-secret-of-the-tests";
        await using var server = await RunningServer.StartAsync(
            Data, [], [new("Auth:Clients:0:ClientId", "reader"), new("Auth:Clients:0:ClientSecret", Secret), new("Auth:Clients:0:Scope", Tokens.Everything)], Ct);
        using var http = await Tokens.SignInAsync(server.Base, "reader", Secret, Ct);
        var found = new List<JsonNode>();
        for (var next = $"{type}?_count=1000"; next is not null;)
        {
            var bundle = JsonNode.Parse(await http.GetStringAsync(next, Ct))!;
            found.AddRange((bundle["entry"]?.AsArray() ?? []).Select(entry => entry!["resource"]!));
            next = (string?)bundle["link"]?.AsArray().FirstOrDefault(link => (string?)link!["relation"] == "next")?["url"];
        }
        return found;
    }
}
