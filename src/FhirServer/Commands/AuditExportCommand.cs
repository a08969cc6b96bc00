using System.Globalization;
using Auditing.Reading;
using FhirServer.Backup;
using FhirServer.Hosting;

namespace FhirServer.Commands;

/// <summary>
/// <c>audit-export</c>: the trail's events as NDJSON of AuditEvents on standard output, oldest first. They hold ids of patients and what
/// was searched for: treat the output as patient data.
/// </summary>
internal sealed class AuditExportCommand : ICommand
{
    private const string Usage = "Usage: audit-export [--from=INSTANT] [--to=INSTANT] [--Storage:DataDirectory=…] > FILE; an instant is written like 2030-05-17 or 2030-05-17T08:30:00Z.";

    public async Task<int> RunAsync(ReadOnlyMemory<string> args, CancellationToken ct)
    {
        var (from, to) = (DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        var rest = new List<string>();
        foreach (var arg in args.ToArray())
        {
            if (arg.StartsWith("--from=", StringComparison.Ordinal))
            {
                from = Instant(arg["--from=".Length..]);
            }
            else if (arg.StartsWith("--to=", StringComparison.Ordinal))
            {
                to = Instant(arg["--to=".Length..]);
            }
            else
            {
                rest.Add(arg);
            }
        }
        var (configuration, settings) = CommandSettings.Open(rest.ToArray());
        await using var store = await OpenStore.OpenAsync(settings, TimeProvider.System, Console.Error.WriteLine, ct);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddFhirServer(configuration, settings, store);
        await using var provider = services.BuildServiceProvider();
        await using var output = Console.OpenStandardOutput();
        var count = 0L;
        await foreach (var found in provider.GetRequiredService<AuditReader>().ExportAsync(from, to, ct))
        {
            await output.WriteAsync(found.Json, ct);
            await output.WriteAsync("\n"u8.ToArray(), ct);
            count++;
        }
        await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{count:#,0} events."));
        return 0;
    }

    private static DateTimeOffset Instant(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant) ? instant : throw new CommandException(Usage);
}
