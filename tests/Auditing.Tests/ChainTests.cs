using Auditing.Blocks;
using Auditing.Entries;
using Auditing.Keeping;
using CsCheck;
using FhirCore;
using FhirCore.Records;

namespace Auditing.Tests;

/// <summary>What was written verifies; what was changed, moved or taken away is found, also where the one who did it has the keys.</summary>
public sealed class ChainTests
{
    private enum Tampering
    {
        ByteOfAnEntry,
        EntriesSwapped,
        EntryRemoved,
        EntryRepeated,
        BlockRemoved,
        BlocksSwapped,
        LastBlockRemoved,
        HeadRemoved,
        ByteOnTheEngine,
    }

    [Fact]
    public async Task Untouched_ItIsWhole_OverRunsAndProcesses()
    {
        using var house = await AuditHouse.OpenAsync();
        var (one, two) = (house.Writer(), house.Writer());
        for (var i = 0; i < 20; i++)
        {
            await house.AppendAsync(i % 3 == 0 ? two : one, AuditHouse.Read($"p{i}", house.Clock.GetUtcNow()), AuditHouse.Read("p", house.Clock.GetUtcNow()));
            house.Clock.Advance(TimeSpan.FromMinutes(2)); // links are made on the way
        }
        await house.AppendAsync(house.Writer(), AuditHouse.Read("x", house.Clock.GetUtcNow()));

        Assert.Empty(await house.VerifyAsync());
    }

    [Fact]
    public async Task AnySingleTampering_IsFound() => await Gen.Select(AuditHouse.AnyEntry.Where(entry => entry.Kind != AuditKind.Links).Array[1, 5].Array[2, 6], Gen.Enum<Tampering>(), Gen.Int[0, 1_000_000], Gen.Byte[1, 255]).SampleAsync(
        async (batches, tampering, place, bits) =>
        {
            using var house = await AuditHouse.OpenAsync();
            var writer = house.Writer();
            foreach (var batch in batches)
            {
                await house.AppendAsync(writer, batch);
            }
            Assert.Empty(await house.VerifyAsync());
            if (await TamperAsync(house, tampering, place, bits))
            {
                Assert.NotEmpty(await house.VerifyAsync());
            }
        }, iter: 300);

    [Fact]
    public async Task TailAndHeadPutBack_AreFound_OnceAnotherChainHasNamedThem()
    {
        using var house = await AuditHouse.OpenAsync();
        var first = house.Writer();
        await house.AppendAsync(first, AuditHouse.Read("a", AuditHouse.Start));
        var headThen = (await house.Store.GetAsync(new(ChainHead.RecordType, first.Chain!), default))!;
        await house.AppendAsync(first, AuditHouse.Read("b", AuditHouse.Start));
        await house.AppendAsync(house.Writer(), AuditHouse.Read("c", AuditHouse.Start));
        var tail = (await house.BlocksAsync()).Where(block => block.Key.Id.EndsWith(first.Chain!, StringComparison.Ordinal)).Last();

        await house.RemoveAsync(tail.Key);
        await house.PutAsync(headThen);

        Assert.Contains(await house.VerifyAsync(), line => line.Contains("another chain has seen", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WholeChainRemoved_IsFound_OnceAnotherChainHasNamedIt()
    {
        using var house = await AuditHouse.OpenAsync();
        var first = house.Writer();
        await house.AppendAsync(first, AuditHouse.Read("a", AuditHouse.Start));
        await house.AppendAsync(house.Writer(), AuditHouse.Read("c", AuditHouse.Start));
        foreach (var block in (await house.BlocksAsync()).Where(block => block.Key.Id.EndsWith(first.Chain!, StringComparison.Ordinal)))
        {
            await house.RemoveAsync(block.Key);
        }
        await house.RemoveAsync(new(ChainHead.RecordType, first.Chain!));

        Assert.Contains(await house.VerifyAsync(), line => line.Contains($"{first.Chain} is missing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ChainStartedAfterMany_NamesThoseThatCameFurther_Only()
    {
        using var house = await AuditHouse.OpenAsync();
        await house.AppendAsync(house.Writer(), AuditHouse.Read("a", house.Clock.GetUtcNow()));
        house.Clock.Advance(TimeSpan.FromHours(1));
        await house.AppendAsync(house.Writer(), AuditHouse.Read("b", house.Clock.GetUtcNow()));
        house.Clock.Advance(TimeSpan.FromHours(1));
        var third = house.Writer();
        await house.AppendAsync(third, AuditHouse.Read("c", house.Clock.GetUtcNow()));
        var blocks = await house.BlocksAsync();
        var opening = AuditBlock.Read(await house.Bodies.OpenAsync(blocks.First(block => block.Key.Id.EndsWith(third.Chain!, StringComparison.Ordinal)), default));

        Assert.Single(opening[0].Links); // the second chain: what the first had come to is named by the second
        Assert.Empty(await house.VerifyAsync());
    }

    [Fact]
    public async Task AnswerOfACommitLost_TheBlockIsThereOnce()
    {
        using var house = await AuditHouse.OpenAsync();
        var store = new ForgetfulStore(house.Store);
        var writer = house.Writer(store);
        await house.AppendAsync(writer, AuditHouse.Read("a", AuditHouse.Start));
        store.Forgets = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => house.AppendAsync(writer, AuditHouse.Read("b", AuditHouse.Start)));
        store.Forgets = false;
        await house.AppendAsync(writer, AuditHouse.Read("b", AuditHouse.Start));
        await house.AppendAsync(writer, AuditHouse.Read("c", AuditHouse.Start));

        Assert.Equal(4, (await house.BlocksAsync()).Count); // the opening, a, b, c
        Assert.Empty(await house.VerifyAsync());
    }

    [Fact]
    public async Task Retention_RemovesWhatIsOverAndOnlyThat_AndWhatIsLeftVerifies()
    {
        using var house = await AuditHouse.OpenAsync();
        var writer = house.Writer();
        await house.AppendAsync(writer, AuditHouse.Read("old", house.Clock.GetUtcNow()));
        await house.AppendAsync(house.Writer(), AuditHouse.Read("old", house.Clock.GetUtcNow()));
        house.Clock.Advance(TimeSpan.FromDays(365 * 5));
        await house.AppendAsync(writer, AuditHouse.Read("young", house.Clock.GetUtcNow()));
        house.Clock.Advance(TimeSpan.FromDays(365 * 2));
        var sweep = new RetentionSweep(house.Store, house.Cipher, house.Options, house.Clock);

        Assert.Equal(4, await sweep.SweepAsync(default)); // two openings, two events
        Assert.Equal(0, await sweep.SweepAsync(default));
        Assert.Empty(await house.VerifyAsync());
        await house.AppendAsync(writer, AuditHouse.Read("new", house.Clock.GetUtcNow()));
        Assert.Empty(await house.VerifyAsync());
        var left = await house.BlocksAsync();
        await house.RemoveAsync(left[0].Key);
        Assert.NotEmpty(await house.VerifyAsync());
    }

    private static async Task<bool> TamperAsync(AuditHouse house, Tampering tampering, int place, byte bits)
    {
        var blocks = await house.BlocksAsync();
        var at = place % blocks.Count;
        var record = blocks[at];
        var block = AuditBlock.Read(await house.Bodies.OpenAsync(record, default));
        var entries = Enumerable.Range(0, block.Count).Select(i => Bytes(block[i])).ToList();
        switch (tampering)
        {
            case Tampering.ByteOfAnEntry:
                var entry = entries[place % entries.Count];
                entry[place % entry.Length] ^= bits;
                await house.ForgeAsync(record, Rebuild(block, entries));
                return true;
            case Tampering.EntriesSwapped when entries.Count > 1 && !entries[0].AsSpan().SequenceEqual(entries[1]):
                (entries[0], entries[1]) = (entries[1], entries[0]);
                await house.ForgeAsync(record, Rebuild(block, entries));
                return true;
            case Tampering.EntryRemoved:
                entries.RemoveAt(place % entries.Count);
                await house.ForgeAsync(record, Rebuild(block, entries));
                return true;
            case Tampering.EntryRepeated:
                entries.Insert(0, entries[0]);
                await house.ForgeAsync(record, Rebuild(block, entries));
                return true;
            case Tampering.BlockRemoved:
                await house.RemoveAsync(record.Key);
                return true;
            case Tampering.LastBlockRemoved:
                await house.RemoveAsync(blocks[^1].Key);
                return true;
            case Tampering.BlocksSwapped when at > 0:
                var other = await house.Bodies.OpenAsync(blocks[at - 1], default);
                var mine = await house.Bodies.OpenAsync(record, default);
                await house.ForgeAsync(record, other.ToArray());
                await house.ForgeAsync(blocks[at - 1], mine.ToArray());
                return true;
            case Tampering.HeadRemoved:
                await house.RemoveAsync(new(ChainHead.RecordType, block.Chain));
                return true;
            case Tampering.ByteOnTheEngine:
                var body = record.Body.ToArray();
                body[place % body.Length] ^= bits;
                await house.PutAsync(record with { Body = body });
                return true;
            default:
                return false;
        }
    }

    /// <summary>The same block with other entries; the hashes stay, as only who computes them all anew could change them.</summary>
    private static byte[] Rebuild(AuditBlock block, List<byte[]> entries)
    {
        var bytes = new ByteWriter();
        AuditBlock.WriteHead(bytes, block.Chain, block.Number, block.First, block.Before, block.After, entries.Count);
        entries.ForEach(entry => bytes.Bytes(entry));
        return bytes.Written.ToArray();
    }

    private static byte[] Bytes(AuditEntry entry)
    {
        var bytes = new ByteWriter();
        EntryCodec.Write(entry, bytes);
        return bytes.Written.ToArray();
    }
}
