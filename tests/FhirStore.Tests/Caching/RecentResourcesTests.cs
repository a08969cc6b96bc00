using FhirCore;
using FhirStore.Caching;
using Microsoft.Extensions.Time.Testing;

namespace FhirStore.Tests.Caching;

public sealed class RecentResourcesTests
{
    private static readonly ResourceKey Key = new("Patient", "a");
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private readonly FakeTimeProvider _clock = new();
    private readonly RecentResources _recent;

    public RecentResourcesTests() => _recent = new(1 << 20, Longest, _clock);

    [Fact]
    public void Read_IsFound_UntilItIsWritten()
    {
        Assert.False(_recent.TryGet(Key, out _));
        _recent.Put(Version(1), _recent.Mark(Key));
        Assert.Equal(1, Found());
        _recent.Written(new("Patient", "b"));
        _recent.Written(Key);
        Assert.Null(Found());
        _recent.Put(Version(2), _recent.Mark(Key));
        Assert.Equal(2, Found());
        _recent.AnythingWritten();
        Assert.Null(Found());
    }

    [Fact]
    public void ReadBeforeAWrite_IsNotTakenInAfterIt()
    {
        var mark = _recent.Mark(Key);
        _recent.Written(Key);
        _recent.Put(Version(1), mark);
        Assert.Null(Found());

        mark = _recent.Mark(Key);
        _recent.AnythingWritten();
        _recent.Put(Version(1), mark);
        Assert.Null(Found());
    }

    [Fact]
    public void OpenedTooLongAgo_IsNotShown()
    {
        _recent.Put(Version(1), _recent.Mark(Key));
        _clock.Advance(Longest - TimeSpan.FromTicks(1));
        Assert.Equal(1, Found());
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(Found());
    }

    /// <summary>One writes and tells, others read the source and the memory: nobody sees less than was told before they began.</summary>
    [Fact]
    public async Task ManyReaders_NeverSeeLessThanWasToldBefore()
    {
        var (written, told) = (1L, 1L);
        using var over = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            while (!over.IsCancellationRequested)
            {
                var least = Volatile.Read(ref told);
                long seen;
                if (_recent.TryGet(Key, out var resource))
                {
                    seen = resource.Version;
                }
                else
                {
                    var mark = _recent.Mark(Key);
                    seen = Volatile.Read(ref written);
                    Thread.SpinWait(Random.Shared.Next(50));
                    _recent.Put(Version(seen), mark);
                }
                Assert.True(seen >= least, $"Version {seen} was shown although {least} had been told of.");
            }
        })).ToArray();
        for (var version = 2L; version < 60_000; version++)
        {
            Volatile.Write(ref written, version);
            _recent.Written(Key);
            Volatile.Write(ref told, version);
            Thread.SpinWait(Random.Shared.Next(50));
        }
        await over.CancelAsync();
        await Task.WhenAll(readers);
    }

    private long? Found() => _recent.TryGet(Key, out var resource) ? resource.Version : null;

    private static StoredResource Version(long version) => new(Key, version, DateTimeOffset.UnixEpoch, false, "{}"u8.ToArray());
}
