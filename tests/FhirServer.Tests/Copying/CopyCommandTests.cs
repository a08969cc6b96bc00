using System.Diagnostics;
using System.Net;
using System.Text;
using Conformance.Tests;
using FhirCore.Records;
using Storage.RocksDb;
using Tests.Shared;

namespace FhirServer.Tests.Copying;

/// <summary><c>copy</c> as an operator uses it: a process of its own, which is killed, resumed and lied to.</summary>
public sealed class CopyCommandTests : IDisposable
{
    private const int Records = 20_000;
    private readonly string _directory = Directory.CreateTempSubdirectory("fhir-copy-").FullName;

    private string Source => Path.Combine(_directory, "source");

    private string Target => Path.Combine(_directory, "target");

    [Fact]
    public async Task Copy_KilledInTheMiddle_GoesOnAndIsTheSame()
    {
        var ct = TestContext.Current.CancellationToken;
        await FillAsync();
        await RunAsync(ct, killIf: () => SizeOf(Target) > 8 << 20);
        await using (var half = RocksDbRecordStore.Open(new() { Directory = Path.Combine(Target, "records") }, TimeProvider.System))
        {
            Assert.NotNull(await half.GetAsync(IStoreCopy.MarkKey, ct));
            Assert.InRange((await half.MeasureAsync(ct)).LogEnd, 1, Records);
            Assert.Null(await half.GetAsync(new("Patient", $"p{Records - 1}"), ct)); // killed before the end
        }
        var (unfinished, said) = await RunningServer.RunAsync(Target, ["--urls=http://127.0.0.1:1"], ct);
        Assert.Equal(1, unfinished);
        Assert.Contains("unfinished copy", said, StringComparison.Ordinal);

        var (exitCode, output) = await RunAsync(ct);
        Assert.True(exitCode == 0, output);
        Assert.Contains("key file is not in it", output, StringComparison.Ordinal);
        Assert.Equal(2, output.Split("  same").Length - 1);
        Assert.Equal(await DigestAsync(Source), await DigestAsync(Target));

        var (again, refused) = await RunAsync(ct);
        Assert.Equal(1, again);
        Assert.Contains("not empty", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Copy_WhoseTargetHasABitFlipped_IsNotCalledComplete()
    {
        var ct = TestContext.Current.CancellationToken;
        await FillAsync();
        await RunAsync(ct, killIf: () => SizeOf(Target) > 8 << 20);
        var file = new DirectoryInfo(Path.Combine(Target, "records")).EnumerateFiles().MaxBy(f => f.Length)!.FullName;
        var bytes = await File.ReadAllBytesAsync(file, ct);
        bytes[bytes.Length / 3] ^= 0x10;
        await File.WriteAllBytesAsync(file, bytes, ct);

        var (exitCode, output) = await RunAsync(ct);
        Assert.NotEqual(0, exitCode);
        Assert.DoesNotContain("complete", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Copy_ToMongoDbAndBack_KilledOnTheWay_IsTheSame()
    {
        var ct = TestContext.Current.CancellationToken;
        var target = Path.Combine(_directory, "target-name");
        await File.WriteAllTextAsync(target, MongoServer.UriOrSkip().Replace("/?", $"/{MongoServer.NewDatabase()}?", StringComparison.Ordinal), ct);
        await FillAsync();
        var after = Stopwatch.StartNew();
        await RunAsync(ct, $"RocksDb:{Source}", $"@{target}", killIf: () => after.Elapsed > TimeSpan.FromSeconds(4));
        var (exitCode, output) = await RunAsync(ct, $"RocksDb:{Source}", $"@{target}");
        Assert.True(exitCode == 0, output);
        (exitCode, output) = await RunAsync(ct, $"@{target}", $"RocksDb:{Target}");
        Assert.True(exitCode == 0, output);
        Assert.Equal(await DigestAsync(Source), await DigestAsync(Target));
    }

    [Fact]
    public async Task Copy_OfARunningServersStore_SaysToStopItFirst()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var running = await RunningServer.StartAsync(Source, [], [], ct);
        var (exitCode, output) = await RunAsync(ct);
        Assert.Equal(1, exitCode);
        Assert.Contains("Stop it", output, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(running, ct));
    }

    [Theory]
    [InlineData("copy")]
    [InlineData("copy", "--from", "RocksDb:x")]
    [InlineData("copy", "--from", "RocksDb:x", "--to", "RocksDb:x")]
    [InlineData("copy", "--from", "RocksDb:/nowhere-planted", "--to", "RocksDb:/tmp/other")]
    [InlineData("copy", "--from", "RocksDb:x", "--to", "mongodb://u:planted-secret@h")]
    [InlineData("copy", "--from", "RocksDb:x", "--into", "mongodb://u:planted-secret@h/d")]
    public async Task WrongCommand_IsRefusedInOneLine(params string[] command)
    {
        var (exitCode, output) = await RunningServer.RunAsync(_directory, command, TestContext.Current.CancellationToken);
        Assert.Equal(1, exitCode);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("planted-secret", output, StringComparison.Ordinal);
        Assert.Single(output.Trim().Split('\n'));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private Task<(int ExitCode, string Output)> RunAsync(CancellationToken ct, Func<bool>? killIf = null) =>
        RunAsync(ct, $"RocksDb:{Source}", $"RocksDb:{Target}", killIf);

    private Task<(int ExitCode, string Output)> RunAsync(CancellationToken ct, string from, string to, Func<bool>? killIf = null) =>
        RunningServer.RunAsync(_directory, ["copy", "--from", from, $"--to={to}"], ct, killIf: killIf);

    private async Task FillAsync()
    {
        await using var store = RocksDbRecordStore.Open(new() { Directory = Path.Combine(Directory.CreateDirectory(Source).FullName, "records") }, TimeProvider.System);
        var at = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        var body = new byte[900];
        foreach (var chunk in Enumerable.Range(0, Records).Chunk(500))
        {
            await store.CommitAsync(new([.. chunk.Select(i => Write($"p{i}", 1))], [], []), default);
        }
        await store.CommitAsync(new([.. Enumerable.Range(0, 100).Select(i => Write($"p{i}", 2))], [], []), default);

        RecordWrite Write(string id, long version)
        {
            Random.Shared.NextBytes(body);
            var index = new IndexEntries.Builder();
            index.Add(IndexField.Of("name"), Encoding.ASCII.GetBytes(id));
            return new(new() { Key = new("Patient", id), Version = version, LastUpdated = at, Partition = id, Body = body.ToArray(), Index = index.Build() }, version - 1, Journal: true, "import");
        }
    }

    private static async Task<string> DigestAsync(string data)
    {
        await using var store = RocksDbRecordStore.Open(new() { Directory = Path.Combine(data, "records") }, TimeProvider.System);
        var digest = new StoreDigest();
        await foreach (var row in store.ReadAsync(StorePosition.Start, default))
        {
            if (row is not StoreRow.Current { Record.Key: var key } || key != IStoreCopy.GapsKey)
            {
                digest.Add(row);
            }
        }
        return digest.ToString();
    }

    private static long SizeOf(string folder)
    {
        try
        {
            return new DirectoryInfo(folder) is { Exists: true } there ? there.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) : 0;
        }
        catch (IOException)
        {
            return 0; // a file went while it was looked at
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(RunningServer server, CancellationToken ct)
    {
        using var http = new HttpClient();
        return (await http.GetAsync(new Uri(server.Base, "metadata"), ct)).StatusCode;
    }
}
