using System.Globalization;
using System.Runtime.InteropServices;
using FhirCore.Records;
using FhirServer.Hosting;
using FhirStore.Copying;

namespace FhirServer.Commands;

/// <summary><c>copy --from STORE --to STORE</c>: moves everything from one engine to another while the server is stopped.</summary>
internal sealed class CopyCommand : ICommand
{
    private const string Usage = "Usage: copy --from STORE --to STORE. A STORE is RocksDb:FOLDER or mongodb://…/DATABASE, or @FILE with that name in it.";

    public async Task<int> RunAsync(ReadOnlyMemory<string> args, CancellationToken ct)
    {
        var (from, to) = Stores(args.Span);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        await using var source = await Engine.OpenAsync(from, mustExist: true, TimeProvider.System, stopping.Token);
        await using var target = await Engine.OpenAsync(to, mustExist: false, TimeProvider.System, stopping.Token);
        var output = Console.Out;
        await output.WriteLineAsync($"Copying {from.Shown} to {to.Shown}. Nothing is decrypted.");
        var progress = new RowProgress(output, terminal: !Console.IsOutputRedirected, TimeProvider.System);
        try
        {
            var report = await new StoreCopier(source, target, TimeProvider.System).RunAsync(now => progress.Tell(now.Doing, now.Rows, now.About), stopping.Token);
            progress.End();
            await output.WriteAsync(Table(report));
            return report.IsGood ? 0 : 1;
        }
        catch (CopyRefusedException refusal)
        {
            progress.End();
            throw new CommandException(refusal.Message);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            progress.End();
            await output.WriteLineAsync("Stopped. The same command goes on from here; until it has ended, no server starts on the target.");
            return 1;
        }

        // The batch under way is finished.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopping.Cancel();
        }
    }

    private static (StoreName From, StoreName To) Stores(ReadOnlySpan<string> args)
    {
        string? from = null, to = null;
        for (var i = 0; i < args.Length; i++)
        {
            var (name, value) = args[i].Split('=', 2) is [var left, var right] && left is "--from" or "--to" ? (left, right) : (args[i], i + 1 < args.Length ? args[++i] : null);
            switch (name)
            {
                case "--from" when from is null && value is not null:
                    from = value;
                    break;
                case "--to" when to is null && value is not null:
                    to = value;
                    break;
                default:
                    throw new CommandException(Usage); // what was typed is not repeated: a password may be in it
            }
        }
        if (from is null || to is null)
        {
            throw new CommandException(Usage);
        }
        var (source, target) = (StoreName.Parse(from, "--from"), StoreName.Parse(to, "--to"));
        return source.Shown != target.Shown ? (source, target) : throw new CommandException("--from and --to name the same store.");
    }

    internal static string Table(CopyReport report)
    {
        var (source, target) = (report.Source, report.Target);
        return $"""
            Verified by reading both again:
                       {"source",-34}{"target",-34}
            history    {Cell(source.Journal)}{Cell(target.Journal)}{Verdict(source.Journal, target.Journal)}
            current    {Cell(source.Records)}{Cell(target.Records)}{Verdict(source.Records, target.Records)}
            {Conclusion(report)}

            """;
    }

    private static string Cell(StoreDigest digest)
    {
        var sum = digest.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"{$"{digest.Rows:#,0} rows  {sum.AsSpan(sum.IndexOf(':', StringComparison.Ordinal) + 1, 12)}…",-34}");
    }

    private static string Verdict(StoreDigest source, StoreDigest target) => source.ToString() == target.ToString() ? "same" : "DIFFERENT";

    private static string Conclusion(CopyReport report) => report switch
    {
        { IsGood: true } => "The copy is complete. The key file is not in it: the server on the copy needs the same one (Keys:File:Path).",
        { SourceChanged: true } => "The source CHANGED while it was copied. Keep the server stopped, empty the target, and copy again. No server starts on the target as it is.",
        _ => "The target DIFFERS from the source. Empty it and copy again; if it happens twice, its disk or memory is damaged. No server starts on the target as it is.",
    };
}
