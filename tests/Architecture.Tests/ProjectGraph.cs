using System.Xml.Linq;

namespace Architecture.Tests;

/// <param name="Path">Relative to the root: <c>src/FhirStore/FhirStore.csproj</c>.</param>
/// <param name="References">Projects it references, by the same kind of path.</param>
internal sealed record ProjectNode(string Path, IReadOnlyList<string> References)
{
    /// <summary><c>src/FhirStore</c>.</summary>
    public string Room => Path[..Path.LastIndexOf('/')];
}

internal static class ProjectGraph
{
    private static readonly string[] Roots = ["src", "tests", "bench", "conformance", "deploy", "eng"];

    public static IReadOnlyList<ProjectNode> Read() =>
        [.. Roots.SelectMany(root => Repository.Files(root, "*.csproj")).Select(path => Parse(path, File.ReadAllText(Repository.Absolute(path))))];

    /// <summary>Takes the XML apart without MSBuild, so that a reference hidden behind a condition counts too.</summary>
    public static ProjectNode Parse(string path, string xml)
    {
        var folder = Path.GetDirectoryName(path) ?? "";
        var references = XDocument.Parse(xml).Descendants()
            .Where(element => element.Name.LocalName == "ProjectReference")
            .Select(element => (string?)element.Attribute("Include")
                ?? throw new InvalidDataException($"{path}: a ProjectReference without Include cannot be checked."))
            .SelectMany(include => include.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Select(include => Resolve(folder, include))
            .Order(StringComparer.Ordinal);
        return new(path, [.. references]);
    }

    private static string Resolve(string folder, string include)
    {
        var full = Path.GetFullPath(Path.Combine(Repository.Root, folder, include.Replace('\\', '/')));
        return Path.GetRelativePath(Repository.Root, full).Replace('\\', '/');
    }
}
