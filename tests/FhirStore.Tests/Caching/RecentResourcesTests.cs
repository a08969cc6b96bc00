using System.Text;
using FhirCore;
using FhirCore.Records;
using FhirStore.Caching;
using Microsoft.Extensions.Time.Testing;

namespace FhirStore.Tests.Caching;

public sealed class RecentResourcesTests
{
    private static readonly ResourceKey Key = new("Patient", "a");
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private readonly FakeTimeProvider _clock = new();
    private readonly RecentResources _recent;

    public RecentResourcesTests() => _recent = new(1 << 20, Longest, isToldOfWrites: true, _clock);

    [Fact]
    public void Read_IsFound_UntilItIsWritten()
    {
        Assert.False(_recent.TryGet(Key, out _));
        Put(1, _recent.Mark(Key));
        Assert.Equal(1, Found());
        _recent.Written(new("Patient", "b"));
        _recent.Written(Key);
        Assert.Null(Found());
        Put(2, _recent.Mark(Key));
        Assert.Equal(2, Found());
        _recent.AnythingWritten();
        Assert.Null(Found());
    }

    [Fact]
    public void ReadBeforeAWrite_IsNotTakenInAfterIt()
    {
        var mark = _recent.Mark(Key);
        _recent.Written(Key);
        Put(1, mark);
        Assert.Null(Found());

        mark = _recent.Mark(Key);
        _recent.AnythingWritten();
        Put(1, mark);
        Assert.Null(Found());
    }

    [Fact]
    public void OpenedTooLongAgo_IsNotShown()
    {
        Put(1, _recent.Mark(Key));
        _clock.Advance(Longest - TimeSpan.FromTicks(1));
        Assert.Equal(1, Found());
        Assert.Equal("1", Opened(Record(1)));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Null(Found());
        Assert.Null(Opened(Record(1)));
        _recent.Keep(Record(1), Version(1));
        Assert.Equal("1", Opened(Record(1)));
    }

    /// <summary>Taken from here and put in again, a resource is not opened anew: it would be shown for as long as somebody asks, whatever became of its key.</summary>
    [Fact]
    public void TakenFromHere_IsNotShownLongerForBeingPutInAgain()
    {
        _recent.Keep(Record(1), Version(1));
        for (var minute = 0; minute < 5; minute++)
        {
            Assert.True(_recent.TryOpen(Record(1), out var json));
            _recent.Put(Record(1), Version(1) with { Json = json }, _recent.Mark(Key));
            Assert.Equal(1, Found());
            _clock.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.Null(Found());
        Assert.Null(Opened(Record(1)));
    }

    /// <summary>Not what was written behind the server's back under the same version, nor anything else that is not the very record.</summary>
    [Fact]
    public void Found_IsOpened_OnlyWhileItIsTheSameByteForByte()
    {
        Assert.Null(Opened(Record(1)));
        _recent.Keep(Record(1), Version(1));
        Assert.Equal("1", Opened(Record(1)));
        Assert.Null(Opened(Record(1) with { Body = "body 2"u8.ToArray() }));
        Assert.Null(Opened(Record(1) with { Body = "body"u8.ToArray() }));
        Assert.Null(Opened(Record(1) with { Version = 2 }));
        Assert.Null(Opened(Record(1) with { LastUpdated = DateTimeOffset.UnixEpoch.AddMilliseconds(1) }));
        Assert.Null(Opened(Record(1) with { Key = new("Patient", "b") }));
        Assert.Null(Opened(Record(1) with { Deleted = true }));
    }

    /// <summary>A search may have found it before a write: a read must not be answered with it.</summary>
    [Fact]
    public void Found_IsNotShownToReads_AndDoesNotTakeThePlaceOfWhatIs()
    {
        _recent.Keep(Record(1), Version(1));
        Assert.Null(Found());
        Put(2, _recent.Mark(Key));
        _recent.Keep(Record(1), Version(1));
        Assert.Equal(2, Found());
        Assert.Equal("2", Opened(Record(2)));
        Assert.Null(Opened(Record(1)));
    }

    [Fact]
    public void WhereOthersWriteToo_ReadsFindNothing_SearchesDo()
    {
        var recent = new RecentResources(1 << 20, Longest, isToldOfWrites: false, _clock);
        recent.Put(Record(1), Version(1), recent.Mark(Key));
        Assert.False(recent.TryGet(Key, out _));
        Assert.True(recent.TryOpen(Record(1), out _));
        recent.Put(Record(2), Version(2), recent.Mark(Key));
        Assert.True(recent.TryOpen(Record(2), out _));
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
                    _recent.Keep(Record(Math.Max(1, seen - 1)), Version(Math.Max(1, seen - 1))); // a search of a moment ago
                    Put(seen, mark);
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

    private string? Opened(StoredRecord record) => _recent.TryOpen(record, out var json) ? Encoding.ASCII.GetString(json.Span) : null;

    private void Put(long version, long mark) => _recent.Put(Record(version), Version(version), mark);

    private static StoredRecord Record(long version) =>
        new() { Key = Key, Version = version, LastUpdated = DateTimeOffset.UnixEpoch, Partition = Key.Id, Body = Encoding.ASCII.GetBytes($"body {version}") };

    private static StoredResource Version(long version) => new(Key, version, DateTimeOffset.UnixEpoch, false, Encoding.ASCII.GetBytes($"{version}"));
}
