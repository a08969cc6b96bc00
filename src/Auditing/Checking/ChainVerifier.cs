using Auditing.Blocks;
using Auditing.Entries;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;

namespace Auditing.Checking;

/// <param name="Chains">Chains, one for each run of a process.</param>
/// <param name="Entries">Events that hang together.</param>
/// <param name="Removed">Events whose time was over.</param>
/// <param name="Damages">How many damages were told.</param>
public sealed record ChainReport(long Chains, long Blocks, long Entries, long Removed, long Damages)
{
    public bool IsGood => Damages == 0;
}

/// <summary>
/// Looks whether the trail is whole: every block of every chain is there, in its place, unchanged, up to the chain's head, and every
/// chain has come at least as far as other chains say it had.
/// </summary>
/// <remarks>
/// What it cannot see: that the end of a chain and its head were put back together to what they were before, if no other chain has named
/// them since; that a chain was removed which no other ever named; that the whole trail was removed. For those, keep the number of events that it
/// reports, or an export, outside of the database: docs/decisions/0104.
/// </remarks>
public sealed class ChainVerifier(IRecordStore records, RecordCipher cipher, TimeProvider clock)
{
    private readonly SealedBodies _bodies = new(records, cipher, clock);
    private readonly Dictionary<string, List<ChainLink>> _links = new(StringComparer.Ordinal);
    private Action<string> _found = _ => { };
    private long _damages;

    /// <param name="found">Called for each damage, in words without patient data.</param>
    public async Task<ChainReport> RunAsync(Action<string> found, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(found);
        (_found, _damages) = (found, 0);
        _links.Clear();
        await foreach (var block in BlocksAsync(AboutIndex.HasLinks, ct))
        {
            Collect(block);
        }
        var chains = new HashSet<string>(StringComparer.Ordinal);
        var (blocks, entries, removed) = (0L, 0L, 0L);
        await foreach (var record in RecordsAsync(ChainHead.RecordType, Predicate.Everything, ct))
        {
            if (await TryOpenAsync(record, ct) is not { } body)
            {
                continue;
            }
            var head = ChainHead.Read(body.Span);
            chains.Add(head.Chain);
            if (head.Chain != record.Key.Id)
            {
                Report($"The head {record.Key.Id} is that of another chain.");
            }
            var (b, e, r) = await CheckAsync(head, ct);
            (blocks, entries, removed) = (blocks + b, entries + e, removed + r);
        }
        foreach (var chain in _links.Keys.Where(chain => !chains.Contains(chain)))
        {
            Report($"Chain {chain} is missing: another chain names it.");
        }
        blocks += await StrayAsync(chains, blocks, ct);
        return new(chains.Count, blocks, entries, removed, _damages);
    }

    private void Collect(AuditBlock block)
    {
        for (var i = 0; i < block.Count; i++)
        {
            if (TryRead(block, i) is { Kind: AuditKind.Links } entry)
            {
                foreach (var link in entry.Links)
                {
                    if (!_links.TryGetValue(link.Chain, out var links))
                    {
                        _links.Add(link.Chain, links = []);
                    }
                    links.Add(link);
                }
            }
        }
    }

    private async ValueTask<(long Blocks, long Entries, long Removed)> CheckAsync(ChainHead head, CancellationToken ct)
    {
        var start = await _bodies.FindAsync(new ResourceKey(ChainStart.RecordType, head.Chain), ct) is var (_, body)
            ? ChainStart.Read(body.Span)
            : new ChainStart(head.Chain, 0, ChainHash.Origin(head.Chain), 0);
        var links = _links.GetValueOrDefault(head.Chain)?.ToLookup(link => link.Blocks);
        var (number, entries, hash) = (start.Block, start.Entries, start.Before);
        await foreach (var block in BlocksAsync(AboutIndex.OfChain(head.Chain), ct))
        {
            if (block.Chain != head.Chain || block.Number != number)
            {
                Report(block.Number > number ? $"Chain {head.Chain}: blocks {number} to {block.Number - 1} are missing." : $"Chain {head.Chain}: block {block.Number} stands where {number} belongs.");
            }
            else if (block.First != entries || !block.Before.AsSpan().SequenceEqual(hash))
            {
                Report($"Chain {head.Chain}: block {number} does not follow from the one before it.");
            }
            if (!block.HoldsTogether())
            {
                Report($"Chain {head.Chain}: events of block {block.Number} were changed, removed or put in another order.");
            }
            for (var i = 0; i < block.Count; i++)
            {
                TryRead(block, i);
            }
            (number, entries, hash) = (block.Number + 1, block.First + block.Count, block.After);
            foreach (var link in links?[number] ?? [])
            {
                if (!link.Hash.Span.SequenceEqual(hash))
                {
                    Report($"Chain {head.Chain}: another chain knows block {block.Number} otherwise.");
                }
            }
        }
        // Written while we read: the head was older than the last block then.
        if (number < head.Blocks || (number == head.Blocks && !hash.AsSpan().SequenceEqual(head.Hash)))
        {
            Report($"Chain {head.Chain}: it ends at block {number - 1}, and its head says {head.Blocks - 1}.");
        }
        if (links?.Max(group => group.Key) is { } most && most > number)
        {
            Report($"Chain {head.Chain}: it ends at block {number - 1}, and another chain has seen block {most - 1}.");
        }
        return (number - start.Block, entries - start.Entries, start.Entries);
    }

    /// <summary>Blocks of no chain that has a head.</summary>
    private async ValueTask<long> StrayAsync(HashSet<string> chains, long expected, CancellationToken ct)
    {
        if (await records.CountAsync(AuditBlock.RecordType, Predicate.Everything, long.MaxValue, ct) == expected)
        {
            return 0;
        }
        var (stray, told) = (0L, new HashSet<string>(StringComparer.Ordinal));
        await foreach (var block in BlocksAsync(Predicate.Everything, ct))
        {
            if (!chains.Contains(block.Chain))
            {
                stray++;
                if (told.Add(block.Chain))
                {
                    Report($"Chain {block.Chain} has no head.");
                }
            }
        }
        return stray;
    }

    private AuditEntry? TryRead(AuditBlock block, int index)
    {
        try
        {
            return block[index];
        }
        catch (StoreCorruptException)
        {
            Report($"Chain {block.Chain}: event {index} of block {block.Number} cannot be read.");
            return null;
        }
    }

    private async IAsyncEnumerable<AuditBlock> BlocksAsync(Predicate where, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var record in RecordsAsync(AuditBlock.RecordType, where, ct))
        {
            if (await TryOpenAsync(record, ct) is not { } body)
            {
                continue;
            }
            AuditBlock? block = null;
            try
            {
                block = AuditBlock.Read(body);
            }
            catch (StoreCorruptException)
            {
                Report($"Block {record.Key.Id} cannot be read.");
            }
            if (block is not null)
            {
                yield return block;
            }
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>?> TryOpenAsync(StoredRecord record, CancellationToken ct)
    {
        try
        {
            return await _bodies.OpenAsync(record, ct);
        }
        catch (StoreCorruptException)
        {
            Report($"{record.Key} cannot be opened: it was altered, is another record's, or its key is gone.");
            return null;
        }
    }

    private async IAsyncEnumerable<StoredRecord> RecordsAsync(string type, Predicate where, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        RecordCursor? after = null;
        do
        {
            var page = await records.QueryAsync(new(type, where, RecordOrder.ById, after, 100), ct);
            foreach (var record in page.Records)
            {
                yield return record;
            }
            after = page.Next;
        }
        while (after is not null);
    }

    private void Report(string what)
    {
        _damages++;
        _found(what);
    }
}
