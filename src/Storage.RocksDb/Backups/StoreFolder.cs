using System.Globalization;
using FhirCore.Records;
using Storage.RocksDb.Native;

namespace Storage.RocksDb.Backups;

/// <summary>
/// The folder of a store as seen from outside the engine: the mark that says which format it has, who has it open,
/// and its copies. A folder is a whole store only with its mark, which copies get last.
/// </summary>
internal static class StoreFolder
{
    private const string MarkFile = "STORE-FORMAT";
    private const string UnfinishedMark = MarkFile + ".new";
    private const string OwnerFile = "OWNER";
    private const string EngineFile = "CURRENT";
    private const string MarkName = "fhir-record-store";
    private const int Format = 1;

    /// <summary>Makes the folder a store's, or sees that it is one that this version can read.</summary>
    /// <exception cref="StoreUnavailableException">It is something else.</exception>
    public static void Prepare(string directory) => Translate(directory, () =>
    {
        Directory.CreateDirectory(directory);
        if (File.Exists(Path.Combine(directory, MarkFile)))
        {
            ReadMark(directory);
        }
        else if (Directory.EnumerateFileSystemEntries(directory).Any(e => !e.EndsWith(UnfinishedMark, StringComparison.Ordinal)))
        {
            throw new StoreUnavailableException(
                $"{directory} is not empty and has no file {MarkFile}: it is no record store, or an unfinished copy of one. Name an empty folder or restore again.");
        }
        else
        {
            WriteMark(directory);
        }
    });

    public static bool IsLockRefusal(StoreUnavailableException e) =>
        e.Message.Contains("/LOCK: ", StringComparison.Ordinal) || e.Message.Contains("\\LOCK: ", StringComparison.Ordinal);

    public static StoreUnavailableException InUse(string directory, Exception cause)
    {
        var owner = ReadOwner(directory);
        return new($"The record store in {directory} is open in another process{(owner is null ? "" : $" (process {owner})")}. Stop it, or give this one a folder of its own.", cause);
    }

    /// <summary>Leaves word of who has the store open, for the message to whoever comes second. The lock itself is the engine's.</summary>
    public static void WriteOwner(string directory) => Translate(directory, () =>
        File.WriteAllText(Path.Combine(directory, OwnerFile), Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));

    public static void ForgetOwner(string directory)
    {
        try
        {
            File.Delete(Path.Combine(directory, OwnerFile));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only word of mouth: the next owner overwrites it.
        }
    }

    public static void BackUp(Engine engine, string target)
    {
        if (Path.Exists(target))
        {
            throw new StoreUnavailableException($"{target} exists already. Name a folder that does not exist yet.");
        }
        Translate(target, () =>
        {
            if (Path.GetDirectoryName(target) is { Length: > 0 } parent)
            {
                Directory.CreateDirectory(parent);
            }
            engine.Checkpoint(target);
            WriteMark(target);
        });
    }

    public static void Restore(string backup, string target)
    {
        if (!File.Exists(Path.Combine(backup, MarkFile)) || !File.Exists(Path.Combine(backup, EngineFile)))
        {
            throw new StoreUnavailableException($"{backup} holds no whole backup of a record store.");
        }
        Translate(target, () =>
        {
            ReadMark(backup);
            if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
            {
                throw new StoreUnavailableException($"{target} is not empty. Restore into a folder that does not exist or is empty.");
            }
            Directory.CreateDirectory(target);
            foreach (var file in Directory.EnumerateFiles(backup))
            {
                if (Path.GetFileName(file) is var name and not (MarkFile or OwnerFile or "LOCK"))
                {
                    CopySynced(file, Path.Combine(target, name));
                }
            }
            WriteMark(target);
        });
    }

    private static void CopySynced(string from, string to)
    {
        using var source = File.OpenRead(from);
        using var copy = new FileStream(to, FileMode.CreateNew, FileAccess.Write);
        source.CopyTo(copy, 1 << 20);
        copy.Flush(flushToDisk: true);
    }

    private static void WriteMark(string directory)
    {
        var path = Path.Combine(directory, MarkFile);
        var unfinished = Path.Combine(directory, UnfinishedMark);
        using (var file = new FileStream(unfinished, FileMode.Create, FileAccess.Write))
        {
            using var text = new StreamWriter(file, leaveOpen: true);
            text.Write(string.Create(CultureInfo.InvariantCulture, $"{MarkName} {Format}\n"));
            text.Flush();
            file.Flush(flushToDisk: true);
        }
        File.Move(unfinished, path, overwrite: true);
    }

    private static void ReadMark(string directory)
    {
        var words = File.ReadAllText(Path.Combine(directory, MarkFile)).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        if (words is not [MarkName, var number] || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var format))
        {
            throw new StoreUnavailableException($"The file {MarkFile} in {directory} cannot be read: this is no record store.");
        }
        if (format != Format)
        {
            throw new StoreUnavailableException(
                $"The record store in {directory} has format {format}; this version of the server reads format {Format}. Use the version that wrote it, or a newer one.");
        }
    }

    private static string? ReadOwner(string directory)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, OwnerFile)) is { Length: > 0 and < 12 } owner && owner.All(char.IsAsciiDigit) ? owner : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Translate(string directory, Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"The folder {directory} cannot be used: {e.Message}", e);
        }
    }
}
