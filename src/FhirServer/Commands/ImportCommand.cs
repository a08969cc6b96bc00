using System.Runtime.InteropServices;
using FhirServer.Backup;
using FhirServer.Hosting;
using FhirStore;
using FhirStore.Encryption;
using FhirCore.Records;

namespace FhirServer.Commands;

/// <summary><c>import PATH…</c>: fills the data folder of a stopped server from files.</summary>
internal sealed class ImportCommand : ICommand
{
    public async Task<int> RunAsync(ReadOnlyMemory<string> args, CancellationToken ct)
    {
        var paths = new List<string>();
        var settingsFrom = args.Length;
        for (var i = 0; i < args.Length; i++)
        {
            if (args.Span[i].StartsWith("--", StringComparison.Ordinal))
            {
                settingsFrom = i;
                break;
            }
            paths.Add(args.Span[i]);
        }
        if (paths.Count == 0)
        {
            throw new CommandException("Usage: import PATH… [--Storage:DataDirectory=…]. A PATH is a .json or .ndjson file, or a folder of them.");
        }
        var (configuration, settings) = CommandSettings.Open(args[settingsFrom..]);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

        await using var store = await OpenStore.OpenAsync(settings, TimeProvider.System, Console.Error.WriteLine, stopping.Token);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddFhirServer(configuration, settings, store);
        await using var provider = services.BuildServiceProvider();
        var journal = new ImportJournal(provider.GetRequiredService<IRecordStore>(), provider.GetRequiredService<IndexTokens>(), TimeProvider.System);
        var importer = new Importer(provider.GetRequiredService<ResourceStore>(), journal, TimeProvider.System);
        return await importer.RunAsync(paths, Console.Out, terminal: !Console.IsOutputRedirected, stopping.Token);

        // The commit under way is finished, then the import ends and can be taken up again.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopping.Cancel();
        }
    }
}
