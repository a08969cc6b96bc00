using Conformance.Tests;

namespace FhirServer.Tests.Import;

/// <summary>Real input beside the repository, in a folder named <c>shared</c> or where <c>FHIR_SHARED</c> says. The project stands without it.</summary>
internal static class SharedData
{
    public static string? Synthea { get; } = Find(Path.Combine("data", "synthea"));

    public static void RequireSynthea() => Assert.SkipWhen(Synthea is null, "The shared data (data/synthea) is not here.");

    /// <summary>A checkout may lie deeper than the folder that holds both.</summary>
    private static string? Find(string relative)
    {
        if (Environment.GetEnvironmentVariable("FHIR_SHARED") is { Length: > 0 } told)
        {
            return Path.Exists(Path.Combine(told, relative)) ? Path.Combine(told, relative) : null;
        }
        for (var folder = new DirectoryInfo(RunningServer.RepositoryRoot).Parent; folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", relative);
            if (Path.Exists(candidate))
            {
                return candidate;
            }
        }
        return null;
    }
}
