using System.Diagnostics;
using FhirCore.Records;
using Storage.Contract;
using Tests.Shared;

namespace Storage.MongoDb.Tests;

/// <summary>The server goes away and comes back: calls end in time with the port's own exception, and go on without a new store.</summary>
public sealed class OutageTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    /// <summary>A busy machine wakes late.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Server_StoppedAndStarted_CallsEndInTimeAndGoOnAfterwards()
    {
        using var server = MongoServer.OwnOrSkip();
        var options = new MongoDbOptions { ConnectionString = server.Uri, Database = MongoServer.NewDatabase(), OrderedFields = A.OrderedFields, OperationTimeout = TimeSpan.FromSeconds(20) };
        await using (await MongoDbRecordStore.OpenAsync(options, TimeProvider.System, null, default))
        {
            // a slow machine may take long for the indexes; what follows is held to the limit
        }
        await using var store = await MongoDbRecordStore.OpenAsync(options with { OperationTimeout = Limit }, TimeProvider.System, null, default);
        var probe = (IEngineProbe)store;
        await UntilAsync(async () => await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("kept")))), default) is not CommitResult.MatchFound);
        Assert.Null(await probe.CheckAsync(default));

        server.Stop();
        await EndsInTimeAsync(async () => await store.GetAsync(A.Key("kept"), default));
        await EndsInTimeAsync(() => store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("lost")))), default));
        await EndsInTimeAsync(async () => await store.QueryAsync(new("Patient", Predicate.Everything, default, null, 10), default));
        await EndsInTimeAsync(async () => await store.ReadChangesAsync(0, 10, default));
        await EndsInTimeAsync(async () => await store.StampAsync("x", default));
        var clock = Stopwatch.StartNew();
        var why = await probe.CheckAsync(default);
        Assert.True(clock.Elapsed < Limit + Late, $"The probe took {clock.Elapsed}.");
        Assert.NotNull(why);
        Assert.DoesNotContain("127.0.0.1", why, StringComparison.Ordinal);

        server.Start();
        await UntilAsync(async () => (await store.GetAsync(A.Key("kept"), default))?.Version == 1);
        Assert.Null(await store.GetAsync(A.Key("lost"), default));
        await UntilAsync(async () => await store.CommitAsync(A.Commit(A.Write(A.Record(A.Key("after")))), default) is CommitResult.Done or CommitResult.VersionConflict);
        Assert.Equal([A.Key("after"), A.Key("kept")], (await store.QueryAsync(new("Patient", Predicate.Everything, default, null, 10), default)).Records.Select(r => r.Key));
    }

    private static async Task EndsInTimeAsync(Func<Task> call)
    {
        var clock = Stopwatch.StartNew();
        var thrown = await Assert.ThrowsAsync<StoreUnavailableException>(call);
        Assert.True(clock.Elapsed < Limit + Late, $"The call took {clock.Elapsed}.");
        Assert.DoesNotContain("127.0.0.1", thrown.Message, StringComparison.Ordinal);
    }

    /// <summary>The first calls after a start may still find connections that broke.</summary>
    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (await holds())
                {
                    return;
                }
            }
            catch (StoreUnavailableException) when (clock.Elapsed < TimeSpan.FromSeconds(40))
            {
            }
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), "It did not come back.");
            await Task.Delay(100);
        }
    }
}
