using System.Collections.Immutable;
using System.Globalization;
using FhirCore;
using FhirStore;
using FhirStore.Json;
using FhirStore.Writing;

namespace FhirServer.Commands;

/// <summary>
/// Loads transaction Bundles, single resources and NDJSON through the write path, so that everything is checked, encrypted and indexed
/// as if a client had sent it.
/// </summary>
internal sealed class Importer(ResourceStore store, ImportJournal journal, TimeProvider clock)
{
    /// <summary>Lines of NDJSON that share a commit.</summary>
    private const int BatchLines = 200;
    private const int BatchBytes = 4 << 20;

    /// <param name="terminal">True where <paramref name="output"/> can redraw a line.</param>
    /// <returns>Exit code: 0, or 1 where anything was refused or a path is wrong.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> paths, TextWriter output, bool terminal, CancellationToken ct)
    {
        IReadOnlyList<ImportFile> files;
        try
        {
            files = ImportFiles.Find(paths);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await output.WriteLineAsync(e.Message);
            return 1;
        }
        if (files.Count == 0)
        {
            await output.WriteLineAsync("Nothing to import: name .json or .ndjson files, or folders that hold some.");
            return 1;
        }
        var began = clock.GetTimestamp();
        var progress = new ImportProgress(output, terminal, files.Sum(file => file.Length), clock);
        try
        {
            foreach (var file in files)
            {
                await (file.Format == ImportFormat.Json ? ImportDocumentAsync(file, progress, ct) : ImportLinesAsync(file, progress, ct));
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            progress.End($"Stopped after {progress.Resources} resources. The same command goes on from here.");
            return 1;
        }
        progress.End(string.Create(
            CultureInfo.InvariantCulture, $"{progress.Resources} resources imported, {progress.Errors} errors, {clock.GetElapsedTime(began).TotalSeconds:0.0} s"));
        return progress.Errors == 0 ? 0 : 1;
    }

    private async Task ImportDocumentAsync(ImportFile file, ImportProgress progress, CancellationToken ct)
    {
        var mark = await journal.OpenAsync(file.Path, ct);
        var name = Path.GetFileName(file.Path);
        var written = 0;
        if (mark.Done == 0)
        {
            var read = ResourceParser.Parse(await File.ReadAllBytesAsync(file.Path, ct), expectedType: null);
            var asked = read.TryGet(out var document, out var malformed)
                ? document.Type == "Bundle" ? ImportBundle.Requests(document) : (Outcome<ImmutableArray<WriteRequest>>)ImmutableArray.Create(KeepingId(document))
                : malformed;
            if (!asked.TryGet(out var requests, out var failure)
                || !(await store.WriteAsync(requests, [mark.MoveTo(1)], ct)).TryGet(out _, out failure))
            {
                progress.Problem(name, failure);
                progress.Advance(file.Length, 0);
                return;
            }
            written = requests.Length;
        }
        progress.Advance(file.Length, written);
        progress.FileDone(file.Path, written, wasThere: mark.Done > 0);
    }

    private async Task ImportLinesAsync(ImportFile file, ImportProgress progress, CancellationToken ct)
    {
        var mark = await journal.OpenAsync(file.Path, ct);
        var (doneBefore, importedBefore) = (mark.Done, progress.Resources);
        var batch = new List<ImportLine>(BatchLines);
        var bytes = 0L;
        await foreach (var line in ImportLine.ReadAsync(file.Path, ct))
        {
            if (line.Number <= mark.Done)
            {
                progress.Advance(line.Length, 0);
                continue;
            }
            batch.Add(line);
            bytes += line.Length;
            if (batch.Count == BatchLines || bytes >= BatchBytes)
            {
                await WriteLinesAsync(file, batch, mark, progress, ct);
                batch.Clear();
                bytes = 0;
            }
        }
        await WriteLinesAsync(file, batch, mark, progress, ct);
        progress.FileDone(file.Path, progress.Resources - importedBefore, wasThere: doneBefore > 0 && mark.Done == doneBefore);
    }

    /// <summary>One commit for all lines; where that is refused, a commit for each, so that one bad line costs no other.</summary>
    private async Task WriteLinesAsync(ImportFile file, List<ImportLine> lines, ImportJournal.Mark mark, ImportProgress progress, CancellationToken ct)
    {
        if (lines.Count == 0)
        {
            return;
        }
        var name = Path.GetFileName(file.Path);
        var requests = new List<(WriteRequest Request, ImportLine Line)>(lines.Count);
        foreach (var line in lines)
        {
            if (line.IsBlank)
            {
                continue;
            }
            if (ResourceParser.Parse(line.Utf8, expectedType: null).TryGet(out var resource, out var failure))
            {
                requests.Add((KeepingId(resource), line));
            }
            else
            {
                progress.Problem($"{name}:{line.Number}", failure);
            }
        }
        var (last, bytes) = (lines[^1].Number, lines.Sum(line => (long)line.Length));
        if (requests.Count == 0 || await TryWriteAsync([.. requests.Select(r => r.Request)], last) is not null)
        {
            foreach (var (request, line) in requests)
            {
                if (await TryWriteAsync([request], line.Number) is { } refused)
                {
                    progress.Problem($"{name}:{line.Number}", refused);
                }
            }
            if (mark.Done < last)
            {
                await journal.CommitAsync(mark.MoveTo(last), ct);
                mark.Moved(last);
            }
        }
        progress.Advance(bytes, 0);

        async Task<FhirFailure?> TryWriteAsync(ImmutableArray<WriteRequest> some, long upTo)
        {
            if (!(await store.WriteAsync(some, [mark.MoveTo(upTo)], ct)).TryGet(out _, out var failure))
            {
                return failure;
            }
            mark.Moved(upTo);
            progress.Advance(0, some.Length);
            return null;
        }
    }

    /// <summary>An id that comes with the data is kept: others refer to it.</summary>
    private static WriteRequest KeepingId(ParsedResource resource) => resource.Id is { } id
        ? new WriteRequest.Update(new(resource.Type, id), resource, IfMatch: null) { Cause = "import" }
        : new WriteRequest.Create(resource, []) { Cause = "import" };
}
