using System.Globalization;

namespace Bench;

/// <summary>Something that makes a measurement impossible or wrong; the message is for whoever ran it.</summary>
internal sealed class BenchException(string message) : Exception(message);

internal sealed record BenchSettings
{
    public string Server { get; init; } = "";

    /// <summary>Length of one measurement.</summary>
    public TimeSpan Measure { get; init; } = TimeSpan.FromSeconds(6);

    public int Connections { get; init; } = 64;

    public int ServerCore { get; init; }

    public int LoadCore { get; init; } = 1;

    public int Patients { get; init; } = 10_000;

    /// <summary>Due in one minute, with <c>--only reminders</c>.</summary>
    public int Reminders { get; init; } = 100_000;

    /// <summary>That the provider takes over each message.</summary>
    public TimeSpan ProviderLatency { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Connection string of a replica set; null leaves MongoDB out.</summary>
    public string? MongoDb { get; init; }

    /// <summary>StackExchange.Redis configuration for the scale run; null leaves Redis out.</summary>
    public string? Redis { get; init; }

    /// <summary>Some brokers of a cluster: measure the relay to it instead; null leaves Kafka out.</summary>
    public string? Kafka { get; init; }

    /// <summary>Of each partition of the topics that are made.</summary>
    public int KafkaCopies { get; init; } = 1;

    /// <summary>Measure how throughput grows with processes instead.</summary>
    public bool Scale { get; init; }

    /// <summary>Where the Markdown table goes; null prints only.</summary>
    public string? Output { get; init; }

    /// <summary>Names of the operations to measure; empty measures all.</summary>
    public IReadOnlySet<string> Only { get; init; } = new HashSet<string>();

    /// <summary>Whether it is among what is to be measured.</summary>
    public bool Measures(string name) => Only.Count == 0 || Only.Contains(name);

    /// <summary>Whether it is what telling costs that is to be measured: asked for by name, and by itself.</summary>
    public bool Events => Only.Count > 0 && Only.All(name => EventRun.Names.Contains(name));

    public static BenchSettings Parse(string[] args)
    {
        var root = FindRoot();
        var settings = new BenchSettings
        {
            Server = Path.Combine(root, "src", "FhirServer", "bin", "Release", "net10.0", "FhirServer.dll"),
            Output = Path.Combine(root, "bench", "results", "latest.md"),
        };
        for (var i = 0; i + 1 < args.Length; i += 2)
        {
            settings = (args[i], args[i + 1]) switch
            {
                ("--server", var path) => settings with { Server = Path.GetFullPath(path) },
                ("--seconds", var text) => settings with { Measure = TimeSpan.FromSeconds(Number(text)) },
                ("--connections", var text) => settings with { Connections = Number(text) },
                ("--patients", var text) => settings with { Patients = Number(text) },
                ("--reminders", var text) => settings with { Reminders = Number(text) },
                ("--latency", var text) => settings with { ProviderLatency = TimeSpan.FromMilliseconds(Number(text)) },
                ("--mongodb", var uri) => settings with { MongoDb = uri },
                ("--redis", var configuration) => settings with { Redis = configuration },
                ("--kafka", var servers) => settings with { Kafka = servers, Output = Path.Combine(root, "bench", "results", "kafka.md") },
                ("--kafka-copies", var text) => settings with { KafkaCopies = Number(text) },
                ("--processes", "1,2") => settings with { Scale = true, Output = Path.Combine(root, "bench", "results", "scale.md") },
                ("--output", "none") => settings with { Output = null },
                ("--output", var path) => settings with { Output = Path.GetFullPath(path) },
                ("--only", RemindersRun.Name) => settings with { Only = new HashSet<string> { RemindersRun.Name }, Output = settings.Output is null ? null : Path.Combine(root, "bench", "results", "reminders.md") },
                ("--only", var names) when names.Split(',').All(name => EventRun.Names.Contains(name)) =>
                    settings with { Only = names.Split(',').ToHashSet(StringComparer.Ordinal), Output = settings.Output is null ? null : Path.Combine(root, "bench", "results", "events.md") },
                ("--only", var names) => settings with { Only = names.Split(',').ToHashSet(StringComparer.Ordinal) },
                var (unknown, _) => throw new BenchException($"There is no option {unknown}. Options: --server DLL --seconds N --connections N --patients N --reminders N --latency MS --only NAME,NAME --mongodb URI --redis HOST:PORT --processes 1,2 --kafka HOST:PORT --kafka-copies N --output FILE|none"),
            };
        }
        return settings.Kafka is not null || File.Exists(settings.Server) ? settings : throw new BenchException($"{settings.Server} is not there: dotnet build Fhir.sln -c Release");
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : throw new BenchException($"'{text}' is not a number above 0.");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Fhir.sln")))
            {
                return folder.FullName;
            }
        }
        throw new BenchException("No folder above the benchmark holds Fhir.sln.");
    }
}
