using FhirCore.Records;
using Microsoft.Extensions.Time.Testing;
using Storage.Contract;

namespace Storage.RocksDb.Tests;

public sealed class CompactionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Files gather while much is written, and are put together once nothing is; that begins anew with the next rush. Everything stays there.</summary>
    [Fact]
    public async Task Files_GatherInARush_AndArePutTogetherWhenItIsCalm()
    {
        await using var store = RocksDbRecordStore.Open(new() { Directory = _folder.Sub("store"), WriteBufferBytes = 1 << 20, CacheBytes = 8 << 20 }, _clock);
        for (var rush = 1; rush <= 3; rush++)
        {
            await WriteAsync(store, $"begun{rush}", 3);
            _clock.Advance(TimeSpan.FromSeconds(1));
            await WriteAsync(store, $"rush{rush}", 7);
            Assert.True(Files() >= 10, $"Only {Files()} files in rush {rush}.");
            for (var second = 0; second < 17; second++)
            {
                _clock.Advance(TimeSpan.FromSeconds(1));
            }
            for (var looks = 0; Files() > 5; looks++) // one a family, and perhaps one more
            {
                Assert.True(looks < 200, $"{Files()} files when it was calm after rush {rush}.");
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
            Assert.Equal(rush * 10 * 200, await store.CountAsync("Patient", Predicate.Everything, long.MaxValue, default));
        }
    }

    /// <summary>Housekeeping that comes upon a damaged file must end neither the process nor the closing, whose callers can do nothing about it.</summary>
    [Fact]
    public async Task Damage_FoundWhenFilesArePutTogether_IsToldToWhoWrites_AndClosingGoesOn()
    {
        var store = RocksDbRecordStore.Open(new() { Directory = _folder.Sub("store"), WriteBufferBytes = 1 << 20, CacheBytes = 8 << 20 }, _clock);
        await WriteAsync(store, "whole", 10);
        var records = new DirectoryInfo(_folder.Sub("store")).EnumerateFiles("*.sst").MaxBy(file => file.Length)!;
        await using (var file = new FileStream(records.FullName, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Position = records.Length / 2;
            file.Write(new byte[64]);
        }
        for (var looks = 0; !await IsRefusedAsync(store, looks); looks++)
        {
            Assert.True(looks < 400, "The damage was not found.");
            _clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        _clock.Advance(TimeSpan.FromSeconds(20));
        await store.DisposeAsync();
    }

    private static async Task<bool> IsRefusedAsync(RocksDbRecordStore store, int attempt)
    {
        try
        {
            await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key($"after-{attempt}")))), default);
            return false;
        }
        catch (Exception told) when (told is StoreCorruptException or StoreUnavailableException)
        {
            return true;
        }
    }

    private int Files() => new DirectoryInfo(_folder.Sub("store")).EnumerateFiles("*.sst").Count();

    /// <param name="megabytes">A flush at each, about. Ids are spread, or files would be moved instead of put together.</param>
    private static async Task WriteAsync(RocksDbRecordStore store, string prefix, int megabytes)
    {
        for (var i = 0; i < megabytes; i++)
        {
            var some = Enumerable.Range(0, 200).Select(k => A.Write(A.Record(A.Key($"{k}-{prefix}-{i}"), body: Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(2_500)))));
            Assert.IsType<CommitResult.Done>(await store.CommitAsync(A.Commit([.. some]), default));
            await Task.Delay(20, TestContext.Current.CancellationToken); // the engine writes out beside us
        }
    }
}
