namespace FhirServer.Commands;

internal enum ImportFormat
{
    /// <summary>A transaction Bundle, or one resource.</summary>
    Json,
    /// <summary>A resource a line.</summary>
    NdJson,
}

internal sealed record ImportFile(string Path, ImportFormat Format, long Length);

/// <summary>Which files an import reads, in which order.</summary>
internal static class ImportFiles
{
    /// <summary>Synthea writes these beside the patients, whose Bundles refer to what is in them.</summary>
    private static readonly string[] First = ["hospitalInformation", "practitionerInformation"];

    /// <param name="paths">Files, and folders whose .json and .ndjson files are taken, subfolders included.</param>
    /// <exception cref="FileNotFoundException">A path does not exist, or is a file of another kind.</exception>
    public static IReadOnlyList<ImportFile> Find(IEnumerable<string> paths) =>
        [.. paths.SelectMany(Expand).DistinctBy(file => file.Path).OrderBy(file => Rank(file.Path)).ThenBy(file => file.Path, StringComparer.Ordinal)];

    private static IEnumerable<ImportFile> Expand(string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            return Directory.EnumerateFiles(full, "*", SearchOption.AllDirectories).Select(ToImportFile).OfType<ImportFile>();
        }
        if (!File.Exists(full))
        {
            throw new FileNotFoundException($"There is no file or folder {path}.");
        }
        return [ToImportFile(full) ?? throw new FileNotFoundException($"{path} is neither .json nor .ndjson.")];
    }

    private static ImportFile? ToImportFile(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".json" => new(path, ImportFormat.Json, new FileInfo(path).Length),
        ".ndjson" => new(path, ImportFormat.NdJson, new FileInfo(path).Length),
        _ => null,
    };

    private static int Rank(string path)
    {
        var at = Array.FindIndex(First, name => Path.GetFileName(path).StartsWith(name, StringComparison.OrdinalIgnoreCase));
        return at < 0 ? First.Length : at;
    }
}
