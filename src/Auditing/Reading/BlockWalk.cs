using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.CompilerServices;
using Auditing.Blocks;
using FhirCore;
using FhirCore.Records;
using FhirStore.Search;

namespace Auditing.Reading;

internal readonly record struct OpenedBlock(BlockId Id, AuditBlock Block);

/// <summary>The blocks that a search may find something in, newest first.</summary>
internal sealed class BlockWalk(IRecordStore records, SealedBodies bodies, AboutIndex about)
{
    private const int SmallestBatch = 4;
    private const int LargestBatch = 64;

    /// <param name="after">Id of the block the walk goes on behind; null begins at the newest.</param>
    public async IAsyncEnumerable<OpenedBlock> RunAsync(Predicate where, DateTimeOffset from, DateTimeOffset to, string? after, [EnumeratorCancellation] CancellationToken ct)
    {
        var cursor = new RecordCursor(default, Earlier(after, Start(to)));
        var last = from - DateTimeOffset.MinValue > AuditBlock.LongestSpan ? from - AuditBlock.LongestSpan : DateTimeOffset.MinValue;
        for (var batch = SmallestBatch; ; batch = Math.Min(batch * 2, LargestBatch))
        {
            var page = await records.QueryAsync(new(AuditBlock.RecordType, where, new(null, Descending: true), cursor, batch), ct);
            foreach (var record in page.Records)
            {
                var opened = Open(record, await bodies.OpenAsync(record, ct));
                if (opened.Id.Time < last)
                {
                    yield break;
                }
                yield return opened;
            }
            if (page.Next is null)
            {
                yield break;
            }
            cursor = page.Next;
        }
    }

    /// <summary>All blocks that may hold something of the time, oldest first.</summary>
    public async IAsyncEnumerable<OpenedBlock> ForwardAsync(DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken ct)
    {
        var first = from - DateTimeOffset.MinValue > AuditBlock.LongestSpan ? from - AuditBlock.LongestSpan : DateTimeOffset.MinValue;
        var end = Start(to);
        var cursor = new RecordCursor(default, string.Create(CultureInfo.InvariantCulture, $"{BlockId.MicrosecondsOf(first):x15}"));
        while (true)
        {
            var page = await records.QueryAsync(new(AuditBlock.RecordType, Predicate.Everything, RecordOrder.ById, cursor, LargestBatch), ct);
            foreach (var record in page.Records)
            {
                if (string.CompareOrdinal(record.Key.Id, end) > 0)
                {
                    yield break;
                }
                yield return Open(record, await bodies.OpenAsync(record, ct));
            }
            if (page.Next is null)
            {
                yield break;
            }
            cursor = page.Next;
        }
    }

    private static OpenedBlock Open(StoredRecord record, ReadOnlyMemory<byte> body) => BlockId.TryParse(record.Key.Id, out var id)
        ? new(id, AuditBlock.Read(body))
        : throw new StoreCorruptException($"{record.Key} is no id of an audit block.") { Summary = "audit block" };

    /// <summary>No event of the trail has a value of these.</summary>
    private static readonly string[] NeverThere = ["_tag", "_security", "_source"];

    /// <summary>What the index knows of a search.</summary>
    public Predicate Narrow(ResourceFilter filter)
    {
        if (Array.Exists(NeverThere, filter.Needs))
        {
            return Predicate.Nothing;
        }
        var parts = ImmutableArray.CreateBuilder<Predicate>();
        foreach (var parameter in (string[])["patient", "entity", "agent"])
        {
            foreach (var references in filter.ReferencesOf(parameter))
            {
                parts.Add(AnyOf(references.Select(about.Is)));
            }
        }
        foreach (var identifiers in filter.IdentifiersOf("agent"))
        {
            parts.Add(AnyOf(identifiers.SelectMany(value => (Predicate[])[about.Is(AboutIndex.OfClient(value)), about.Is(AboutIndex.OfAccount(value))])));
        }
        if (filter.Ids is { } ids)
        {
            parts.Add(ids.Select(id => BlockId.TryParseEvent(id, out var block, out _) ? block.ToString() : null).OfType<string>().ToImmutableSortedSet(StringComparer.Ordinal) is { IsEmpty: false } blocks
                ? new Predicate.IdIn(blocks) : Predicate.Nothing);
        }
        return parts.Count switch { 0 => Predicate.Everything, 1 => parts[0], _ => new Predicate.AllOf(parts.DrainToImmutable()) };
    }

    private static Predicate AnyOf(IEnumerable<Predicate> parts) => parts.ToImmutableArray() is [var only] ? only : new Predicate.AnyOf([.. parts]);

    /// <summary>An id just after all blocks that may hold something of that time.</summary>
    private static string Start(DateTimeOffset to)
    {
        var end = DateTimeOffset.MaxValue - to > AuditBlock.LongestSpan ? to + AuditBlock.LongestSpan : DateTimeOffset.MaxValue;
        return string.Create(CultureInfo.InvariantCulture, $"{BlockId.MicrosecondsOf(end):x15}-g"); // above every chain's digits
    }

    private static string Earlier(string? a, string b) => a is not null && string.CompareOrdinal(a, b) < 0 ? a : b;
}
