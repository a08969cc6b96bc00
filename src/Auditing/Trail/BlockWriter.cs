using System.Security.Cryptography;
using Auditing.Blocks;
using Auditing.Entries;
using FhirCore;
using FhirCore.Records;
using FhirStore.Encryption;

namespace Auditing.Trail;

/// <summary>
/// Appends blocks to the chain of this run of the process. A block and the chain's head are one commit; the head's version lets nobody
/// else append. Not for several callers at once.
/// </summary>
internal sealed class BlockWriter(IRecordStore records, RecordCipher cipher, IndexTokens tokens, AuditOptions options, TimeProvider clock)
{
    /// <summary>Chains whose heads a link names, at most: those that were written to last.</summary>
    private const int MostLinks = 1_000;

    /// <summary>Between processes whose clocks differ.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    private readonly SealedBodies _bodies = new(records, cipher, clock);
    private readonly AboutIndex _about = new(tokens);
    private readonly ByteWriter _entry = new();
    private readonly ByteWriter _entries = new(1 << 16);
    private readonly ByteWriter _block = new(1 << 16);
    private readonly HashSet<string> _subjects = new(StringComparer.Ordinal);

    private ChainHead? _head;
    private long _headVersion;
    private long _lastTime;
    private long _linkedAt;
    private DateTimeOffset _linkedUpTo;
    private Pending? _pending;

    /// <summary>Sealed once, and committed until it is known to stand: an answer that never came must not store it twice.</summary>
    private sealed record Pending(Commit Commit, ChainHead Head, int Entries, int Bytes);

    public string? Chain => _head?.Chain;

    /// <summary>Stores the first of the entries, as many as go into one block.</summary>
    /// <returns>How many were stored, and the length of their block.</returns>
    /// <exception cref="StoreUnavailableException">To be called again with the same entries first.</exception>
    public async Task<(int Entries, int Bytes)> AppendAsync(IReadOnlyList<Waiting> waiting, int from, CancellationToken ct)
    {
        if (_head is null)
        {
            await OpenAsync(ct);
        }
        else if (_pending is null && clock.GetElapsedTime(_linkedAt) >= options.LinkEvery)
        {
            await LinkAsync(ct);
        }
        _pending ??= await SealAsync(waiting, from, ct);
        return await CommitAsync(_pending, ct);
    }

    /// <summary>Begins a chain. Its first entry names how far all others had come.</summary>
    private async Task OpenAsync(CancellationToken ct)
    {
        var chain = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var head = new ChainHead(chain, 0, 0, ChainHash.Origin(chain), clock.GetUtcNow());
        _pending = null;
        (_head, _headVersion, _linkedUpTo) = (head, 0, await LastOpeningAsync(ct));
        try
        {
            await LinkAsync(ct);
        }
        catch
        {
            _head = null; // nothing of it stands, or nothing that is known: another begins
            throw;
        }
    }

    private async Task LinkAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var links = await ReadLinksAsync(_linkedUpTo - ClockSkew, ct);
        var entry = new AuditEntry { Kind = AuditKind.Links, At = now, Status = 200, Operation = _head!.Blocks == 0 ? "start" : "link", Links = links };
        _pending = await SealAsync([new(entry, null)], 0, ct);
        await CommitAsync(_pending, ct);
        (_linkedAt, _linkedUpTo) = (clock.GetTimestamp(), now);
    }

    /// <summary>When the chain before this one was begun: what has not changed since then was named by it.</summary>
    private async ValueTask<DateTimeOffset> LastOpeningAsync(CancellationToken ct)
    {
        var last = DateTimeOffset.MinValue + ClockSkew;
        await foreach (var head in HeadsAsync(DateTimeOffset.MinValue, ct))
        {
            last = head.Opened > last ? head.Opened : last;
        }
        return last;
    }

    private async ValueTask<ChainLink[]> ReadLinksAsync(DateTimeOffset since, CancellationToken ct)
    {
        var links = new List<ChainLink>();
        await foreach (var head in HeadsAsync(since, ct))
        {
            if (head.Chain != _head!.Chain && head.Blocks > 0 && links.Count < MostLinks)
            {
                links.Add(new(head.Chain, head.Blocks, head.Hash));
            }
        }
        return [.. links];
    }

    private async IAsyncEnumerable<ChainHead> HeadsAsync(DateTimeOffset since, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        Predicate where = since <= DateTimeOffset.MinValue ? Predicate.Everything : new Predicate.Between(IndexField.LastUpdated, SortableTime.Encode(since), default);
        RecordCursor? after = null;
        do
        {
            var page = await records.QueryAsync(new(ChainHead.RecordType, where, RecordOrder.ById, after, 500), ct);
            foreach (var record in page.Records)
            {
                yield return ChainHead.Read((await _bodies.OpenAsync(record, ct)).Span);
            }
            after = page.Next;
        }
        while (after is not null);
    }

    private async ValueTask<Pending> SealAsync(IReadOnlyList<Waiting> waiting, int from, CancellationToken ct)
    {
        var head = _head!;
        var after = (byte[])head.Hash.Clone();
        var (count, hasLinks) = Encode(waiting, from, after);
        var (id, body) = Frame(head, waiting[from].Entry.At, after, count);
        var index = _about.Build(head.Chain, _subjects, hasLinks);
        var keyWrites = new List<RecordWrite>();
        var next = head with { Blocks = head.Blocks + 1, Entries = head.Entries + count, Hash = after };
        var block = await _bodies.SealAsync(new(AuditBlock.RecordType, id.ToString()), 0, index, body, keyWrites, ct);
        var newHead = await _bodies.SealAsync(new(ChainHead.RecordType, head.Chain), _headVersion, IndexEntries.None, next.Write(), keyWrites, ct);
        return new(new([block, newHead, .. keyWrites], [], []), next, count, body.Length);
    }

    /// <summary>Entries as bytes into <see cref="_entries"/>, whom they are about into <see cref="_subjects"/>.</summary>
    /// <param name="hash">Of the chain so far; extended by the entries.</param>
    private (int Count, bool HasLinks) Encode(IReadOnlyList<Waiting> waiting, int from, byte[] hash)
    {
        _entries.Clear();
        _subjects.Clear();
        var (count, hasLinks) = (0, false);
        var begin = waiting[from].Entry.At;
        for (; count < AuditBlock.Most && from + count < waiting.Count && _entries.Length < AuditBlock.Full; count++)
        {
            var entry = waiting[from + count].Entry;
            if ((entry.At - begin).Duration() > AuditBlock.LongestSpan / 2)
            {
                break;
            }
            _entry.Clear();
            EntryCodec.Write(entry, _entry);
            _entries.Bytes(_entry.Written);
            AboutIndex.AddSubjects(entry, _subjects);
            hasLinks |= entry.Kind == AuditKind.Links;
        }
        ChainHash.Extend(hash, _entries.Written);
        return (count, hasLinks);
    }

    private (BlockId Id, ReadOnlyMemory<byte> Body) Frame(ChainHead head, DateTimeOffset at, byte[] after, int count)
    {
        _lastTime = Math.Max(_lastTime + 1, BlockId.MicrosecondsOf(at));
        _block.Clear();
        AuditBlock.WriteHead(_block, head.Chain, head.Blocks, head.Entries, head.Hash, after, count);
        _block.Raw(_entries.Written);
        return (new(_lastTime, head.Chain), _block.Written.ToArray());
    }

    private async Task<(int Entries, int Bytes)> CommitAsync(Pending pending, CancellationToken ct)
    {
        var result = await records.CommitAsync(pending.Commit, ct);
        if (result is not CommitResult.Done && !await StandsAsync(pending, ct))
        {
            // Somebody else has written this chain, or its keys: it is left as it is, and another begun with the same entries.
            (_head, _pending) = (null, null);
            return (0, 0);
        }
        (_head, _pending, _headVersion) = (pending.Head, null, _headVersion + 1);
        return (pending.Entries, pending.Bytes);
    }

    /// <summary>Whether it was committed by an attempt whose answer never came.</summary>
    private async ValueTask<bool> StandsAsync(Pending pending, CancellationToken ct) =>
        await _bodies.FindAsync(new ResourceKey(ChainHead.RecordType, pending.Head.Chain), ct) is var (record, body)
        && record.Version == _headVersion + 1 && ChainHead.Read(body.Span) is var head && head.Blocks == pending.Head.Blocks && head.Hash.AsSpan().SequenceEqual(pending.Head.Hash);
}
