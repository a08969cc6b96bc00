using System.Xml.Linq;

namespace Architecture.Tests;

/// <summary>Arrows point at FhirCore: docs/decisions/0001-rooms-and-arrows.md. A room that is not listed here may not exist.</summary>
public sealed class ArrowTests
{
    private const string Src = "src/";

    /// <summary>Room → rooms it may reference. The same table as in docs/decisions/0001-rooms-and-arrows.md.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["FhirCore"] = [],
        ["FhirStore"] = ["FhirCore"],
        ["SchedulingOperations"] = ["FhirCore", "FhirStore"],
        ["Subscriptions"] = ["FhirCore", "FhirStore"],
        ["Forecasting"] = ["FhirCore", "FhirStore"],
        ["Authorization"] = ["FhirCore", "FhirStore"],
        ["Auditing"] = ["FhirCore", "FhirStore"],
        ["Storage.RocksDb"] = ["FhirCore"],
        ["Storage.MongoDb"] = ["FhirCore"],
        ["Events.Kafka"] = ["FhirCore"],
        ["Messages"] = ["FhirCore"],
        ["Cache.Redis"] = ["FhirCore"],
        ["Blobs.S3"] = ["FhirCore"],
        ["Keys.Aws"] = ["FhirCore"],
        ["FhirServer"] =
        [
            "FhirCore", "FhirStore", "SchedulingOperations", "Subscriptions", "Forecasting", "Authorization", "Auditing",
            "Storage.RocksDb", "Storage.MongoDb", "Events.Kafka", "Messages", "Cache.Redis", "Blobs.S3", "Keys.Aws",
        ],
    };

    [Fact]
    public void Projects_OfTheTree_HoldTheArrows()
    {
        var projects = ProjectGraph.Read();

        Assert.Contains(projects, project => project.Path == "src/FhirServer/FhirServer.csproj");
        Offenders.None(projects.SelectMany(Violations));
    }

    [Fact]
    public void Decision_ListsTheSameTable()
    {
        var record = File.ReadAllLines(Repository.Absolute("docs/decisions/0001-rooms-and-arrows.md"));
        var listed = record
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .ToDictionary(cells => cells[1].Trim('`'), cells => cells[2], StringComparer.Ordinal);

        Assert.Equal(Allowed.Keys.Order(StringComparer.Ordinal), listed.Keys.Order(StringComparer.Ordinal));
        Assert.All(Allowed, room => Assert.Equal(
            room.Key == "FhirServer" ? "every room above" : room.Value.Length == 0 ? "none" : string.Join(", ", room.Value), listed[room.Key]));
    }

    [Fact]
    public void Solution_NamesEveryProject()
    {
        var solution = File.ReadAllText(Repository.Absolute("Fhir.sln")).Replace('\\', '/');

        Offenders.None(ProjectGraph.Read().Select(project => project.Path)
            .Where(path => !solution.Contains($"\"{path}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Packages_HaveTheirVersionInOnePlace() =>
        Offenders.None(ProjectGraph.Read()
            .Where(project => XDocument.Load(Repository.Absolute(project.Path)).Descendants("PackageReference")
                .Any(package => package.Attribute("Version") is not null || package.Attribute("VersionOverride") is not null))
            .Select(project => project.Path));

    [Theory]
    [InlineData("src/Authorization", "../SchedulingOperations/SchedulingOperations.csproj", "not in the table")]
    [InlineData("src/FhirCore", "../FhirStore/FhirStore.csproj", "not in the table")]
    [InlineData("src/Storage.RocksDb", "../FhirStore/FhirStore.csproj", "not in the table")]
    [InlineData("src/FhirServer", "../../tests/FhirCore.Tests/FhirCore.Tests.csproj", "not in the table")]
    [InlineData("src/Utilities", "../FhirCore/FhirCore.csproj", "not a room")]
    [InlineData("conformance/Suite", "../../src/FhirCore/FhirCore.csproj", "speaks only HTTP")]
    public void Violations_OfAForbiddenArrow_NameIt(string room, string include, string because)
    {
        var project = ProjectGraph.Parse($"{room}/X.csproj", $"<Project><ItemGroup Condition=\"false\"><ProjectReference Include=\"{include}\" /></ItemGroup></Project>");

        Assert.Contains(because, Assert.Single(Violations(project)), StringComparison.Ordinal);
    }

    private static IEnumerable<string> Violations(ProjectNode project)
    {
        if (project.Room.StartsWith("conformance/", StringComparison.Ordinal))
        {
            return project.References.Select(reference => $"{project.Path} → {reference}: conformance speaks only HTTP and references no project.");
        }
        if (!project.Room.StartsWith(Src, StringComparison.Ordinal))
        {
            return []; // tests and bench may look at whatever they check
        }
        var room = project.Room[Src.Length..];
        return !Allowed.TryGetValue(room, out var targets)
            ? [$"{project.Path}: {room} is not a room of docs/decisions/0001-rooms-and-arrows.md."]
            : project.References
                .Where(reference => !targets.Any(target => reference == $"{Src}{target}/{target}.csproj"))
                .Select(reference => $"{project.Path} → {reference}: not in the table of docs/decisions/0001-rooms-and-arrows.md.");
    }
}
