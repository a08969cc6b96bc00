namespace Architecture.Tests;

public sealed class TidinessTests
{
    /// <summary>At 400 lines one asks what the second thing in the file is; at this many it has certainly been answered wrongly.</summary>
    private const int MostLines = 600;

    [Fact]
    public void Rooms_OpenWithAReadme() =>
        Offenders.None(ProjectGraph.Read()
            .Select(project => project.Room)
            .Where(room => room.StartsWith("src/", StringComparison.Ordinal) && !File.Exists(Repository.Absolute($"{room}/README.md")))
            .Select(room => $"{room} has no README.md"));

    [Theory]
    [InlineData("src")]
    [InlineData("tests")]
    [InlineData("conformance")]
    [InlineData("bench")]
    public void CodeFiles_StaySmall(string folder) =>
        Offenders.None(Repository.Files(folder, "*.cs")
            .Select(path => (Path: path, Lines: File.ReadLines(Repository.Absolute(path)).Count()))
            .Where(file => file.Lines > MostLines)
            .Select(file => $"{file.Path} has {file.Lines} lines; {MostLines} are the most."));

    [Fact]
    public void Namespaces_FollowTheFolders() =>
        Offenders.None(Repository.Files("src", "*.cs")
            .Select(path => (Path: path, Declared: File.ReadLines(Repository.Absolute(path)).FirstOrDefault(line => line.StartsWith("namespace ", StringComparison.Ordinal))))
            .Where(file => file.Declared is not null && file.Declared != $"namespace {NamespaceOf(file.Path)};")
            .Select(file => $"{file.Path}: {file.Declared}"));

    [Fact]
    public void DecisionRecords_StateContextDecisionStatusAndConsequences()
    {
        var records = Repository.Files("docs/decisions", "*.md").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])).ToArray();

        Assert.NotEmpty(records);
        Assert.Equal(records.Length, records.Select(path => Path.GetFileName(path)[..4]).Distinct(StringComparer.Ordinal).Count());
        Assert.All(records, path =>
        {
            var text = File.ReadAllText(Repository.Absolute(path));
            Assert.All<string>(["## Context", "## Decision", "## Status", "## Consequences"], heading => Assert.Contains(heading, text, StringComparison.Ordinal));
        });
    }

    /// <summary><c>src/FhirStore/Search/X.cs</c> declares <c>FhirStore.Search</c>.</summary>
    private static string NamespaceOf(string path) => string.Join('.', path.Split('/')[1..^1]);
}
