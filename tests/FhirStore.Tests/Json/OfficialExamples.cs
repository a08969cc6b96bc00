using System.Formats.Tar;
using ZstdSharp;

namespace FhirStore.Tests.Json;

/// <summary>The official R4 4.0.1 examples, which stand beside the repository and not in it.</summary>
internal static class OfficialExamples
{
    private const string Path = "data/hl7-r4-examples.tar.zst";

    public static IEnumerable<(string Name, byte[] Body)> Read()
    {
        var archive = Find();
        Assert.SkipWhen(archive is null, $"shared/{Path} is not beside the repository, and FHIR_SHARED does not name its folder.");
        return Read(archive!);
    }

    private static IEnumerable<(string Name, byte[] Body)> Read(string archive)
    {
        using var file = File.OpenRead(archive);
        using var plain = new DecompressionStream(file);
        using var tar = new TarReader(plain);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is { } content && entry.Name.EndsWith(".json", StringComparison.Ordinal))
            {
                using var copy = new MemoryStream((int)entry.Length);
                content.CopyTo(copy);
                yield return (System.IO.Path.GetFileName(entry.Name), copy.ToArray());
            }
        }
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("FHIR_SHARED") is { Length: > 0 } named)
        {
            return File.Exists(System.IO.Path.Combine(named, Path)) ? System.IO.Path.Combine(named, Path) : null;
        }
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = System.IO.Path.Combine(folder.FullName, "shared", Path);
            if (File.Exists(candidate))
            {
                return candidate;
            }
        }
        return null;
    }
}
