using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using FhirCore.Records;
using Storage.Contract;

namespace Storage.RocksDb.Tests;

/// <summary>
/// This test program run as another process, told by its environment what to be, so that a test can kill a writer or let it
/// run into a full disk.
/// </summary>
internal static partial class Child
{
    private const string RoleVariable = "STORAGE_TESTS_ROLE";
    private const string FolderVariable = "STORAGE_TESTS_FOLDER";

    /// <summary>Commits pairs without end and prints the number of each acknowledged pair.</summary>
    public const string Writer = "writer";

    /// <summary>Opens the store, prints <c>open</c> and waits for its input to end.</summary>
    public const string Owner = "owner";

    /// <summary>Writes until files may not grow any more, prints <c>refused</c> and how the store says it is, lifts the limit, prints how it is now, and prints <c>again</c> when a commit passes.</summary>
    public const string Limited = "limited";

    public static Process Start(string role, string folder)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(Child).Assembly.Location);
        }
        start.Environment[RoleVariable] = role;
        start.Environment[FolderVariable] = folder;
        return Process.Start(start)!;
    }

    /// <summary>Plays the role that the environment names.</summary>
    /// <returns><see langword="false"/> when it names none: then this is the test run itself.</returns>
    public static async Task<bool> TryRunAsync()
    {
        if (Environment.GetEnvironmentVariable(RoleVariable) is not { } role)
        {
            return false;
        }
        var folder = Environment.GetEnvironmentVariable(FolderVariable)!;
        await (role switch
        {
            Writer => WriteAsync(folder),
            Owner => OwnAsync(folder),
            Limited => HitTheLimitAsync(folder),
            _ => throw new InvalidOperationException($"No role {role}."),
        });
        return true;
    }

    public static Commit Pair(string run, int number)
    {
        var index = A.Entries((A.Name, $"{number:d8}"));
        return A.Commit(
            A.Write(A.Record(A.Key($"{run}-{number}-left"), body: new string('l', 900), index: index)),
            A.Write(A.Record(A.Key($"{run}-{number}-right"), body: new string('r', 900), index: index)));
    }

    private static async Task WriteAsync(string folder)
    {
        var store = RocksDbRecordStore.Open(new() { Directory = folder, CacheBytes = 2 << 20, WriteBufferBytes = 1 << 20 }, TimeProvider.System);
        var run = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ =>
        {
            while (true)
            {
                var number = Interlocked.Increment(ref next);
                if (await store.CommitAsync(Pair(run, number), default) is CommitResult.Done)
                {
                    lock (store)
                    {
                        Console.WriteLine($"{run}-{number}");
                    }
                }
            }
        }));
    }

    private static async Task OwnAsync(string folder)
    {
        await using var store = RocksDbRecordStore.Open(new() { Directory = folder }, TimeProvider.System);
        Console.WriteLine("open");
        await Console.In.ReadToEndAsync();
    }

    private static async Task HitTheLimitAsync(string folder)
    {
        // Without this the signal that comes with the limit would end the process.
        using var ignored = PosixSignalRegistration.Create((PosixSignal)SignalFileTooLarge, context => context.Cancel = true);
        await using var store = RocksDbRecordStore.Open(new() { Directory = folder }, TimeProvider.System);
        Limit(200_000);
        var acknowledged = 0;
        try
        {
            while (true)
            {
                await store.CommitAsync(Pair("limited", acknowledged), default);
                acknowledged++;
            }
        }
        catch (StoreUnavailableException)
        {
            Console.WriteLine("refused");
        }
        Console.WriteLine(await store.CheckAsync(default) is null ? "well" : "ill");
        Limit(ulong.MaxValue);
        // A server that says it is not ready is sent nothing to commit: asking it must be enough.
        for (var attempt = 0; attempt < 100 && await store.CheckAsync(default) is not null; attempt++)
        {
            await Task.Delay(100);
        }
        Console.WriteLine(await store.CheckAsync(default) is null ? "well" : "ill");
        for (var attempt = 0; attempt < 100; attempt++)
        {
            try
            {
                await store.CommitAsync(Pair("again", attempt), default);
                Console.WriteLine("again");
                Console.WriteLine(acknowledged.ToString(CultureInfo.InvariantCulture));
                return;
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(100);
            }
        }
    }

    private const int SignalFileTooLarge = 25;
    private const int FileSizeResource = 1;

    private static unsafe void Limit(ulong bytes)
    {
        var limit = stackalloc ulong[] { bytes, ulong.MaxValue };
        if (setrlimit(FileSizeResource, limit) != 0)
        {
            throw new InvalidOperationException("setrlimit failed.");
        }
    }

    [LibraryImport("libc")]
    private static unsafe partial int setrlimit(int resource, ulong* limit);
}
