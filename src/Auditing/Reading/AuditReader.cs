using System.Runtime.CompilerServices;
using System.Text.Json;
using Auditing.Blocks;
using FhirCore;
using FhirCore.Records;
using FhirStore;
using FhirStore.Access;
using FhirStore.Encryption;
using FhirStore.Search;

namespace Auditing.Reading;

/// <summary>The trail as AuditEvents: read and searched like any other type, though no event is a record of its own.</summary>
public sealed class AuditReader
{
    private const string Purpose = "audit-page";

    private readonly SealedBodies _bodies;
    private readonly BlockWalk _walk;
    private readonly SearchService _stored;
    private readonly DataProtector _protector;
    private readonly AuditSource _source;
    private readonly int _mostEntries;

    /// <param name="mostEntries">Events that one search may look at.</param>
    public AuditReader(
        IRecordStore records, RecordCipher cipher, IndexTokens tokens, DataProtector protector, SearchService stored, AuditSource source, TimeProvider clock, int mostEntries = 200_000)
    {
        _bodies = new(records, cipher, clock);
        _walk = new(records, _bodies, new(tokens));
        (_protector, _stored, _source, _mostEntries) = (protector, stored, source, mostEntries);
    }

    /// <summary>Whether an id is of the form that the trail's own events have: such a resource is never a client's.</summary>
    public static bool IsOwn(string? id) => BlockId.TryParseEvent(id, out _, out _);

    /// <returns>Null where the trail has no such event.</returns>
    public async ValueTask<StoredResource?> FindAsync(string id, CancellationToken ct)
    {
        if (!BlockId.TryParseEvent(id, out var block, out var index)
            || await _bodies.FindAsync(new(AuditBlock.RecordType, block.ToString()), ct) is not var (_, body))
        {
            return null;
        }
        var opened = AuditBlock.Read(body);
        return index < opened.Count ? Resource(new(block, opened), index) : null;
    }

    /// <summary>The trail's events, newest first, then those that clients have stored, in the order of their own search.</summary>
    public async Task<Outcome<SearchPage>> SearchAsync(SearchRequest request, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(request);
        var cursor = new TrailCursor(request.Parameters, request.Strict, request.Caller?.Name ?? "", "", 0, null, false, null);
        if (request.Page is { } text)
        {
            if (!_protector.TryOpen(Purpose, text, out var bytes) || TrailCursor.Read(bytes) is not { } read || read.Caller != cursor.Caller)
            {
                return FhirFailure.Of(FailureKind.Invalid, "The value of '_page' is none that this server gave for this type. Start the search again.");
            }
            cursor = read;
        }
        if (cursor.TrailDone)
        {
            return await StoredAsync(cursor, request.Caller, ct);
        }
        if (!(await _stored.FilterAsync(request with { Parameters = cursor.Parameters, Strict = cursor.Strict }, ct)).TryGet(out var filter, out var failure))
        {
            return failure;
        }
        if (Unfit(filter) is { } unfit)
        {
            return unfit;
        }
        return filter.CountOnly ? await CountAsync(cursor, filter, request.Caller, ct) : await PageAsync(cursor, filter, request.Caller, ct);
    }

    /// <summary>The trail's own events of a time, oldest first.</summary>
    public async IAsyncEnumerable<StoredResource> ExportAsync(DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var block in _walk.ForwardAsync(from, to, ct))
        {
            for (var index = 0; index < block.Block.Count; index++)
            {
                var found = Resource(block, index);
                if (found.LastUpdated >= from && found.LastUpdated < to)
                {
                    yield return found;
                }
            }
        }
    }

    private static FhirFailure? Unfit(ResourceFilter filter) =>
        filter.HasIncludes ? Refuse("'_include' and '_revinclude' are not offered on AuditEvent.")
        : filter.Sort.Any() && !filter.Sort.SequenceEqual(["-date"]) ? Refuse("AuditEvents come newest first: '_sort' takes '-date' only.")
        : null;

    private static FhirFailure Refuse(string why) => FhirFailure.Of(FailureKind.Invalid, why, code: "not-supported");

    private async Task<Outcome<SearchPage>> PageAsync(TrailCursor cursor, ResourceFilter filter, ICaller? caller, CancellationToken ct)
    {
        var total = cursor.Total;
        if (filter.WantsTotal && total is null)
        {
            if (!(await CountAsync(cursor, filter, caller, ct)).TryGet(out var counted, out var failure))
            {
                return failure;
            }
            total = counted.Total;
        }
        var matches = new List<(OpenedBlock Block, int Index, StoredResource Event)>(Math.Min(filter.Count, 128));
        if (!await ScanAsync(cursor, filter, match =>
        {
            matches.Add(match);
            return matches.Count <= filter.Count;
        }, ct))
        {
            return TooCostly();
        }
        var more = matches.Count > filter.Count;
        if (more)
        {
            matches.RemoveAt(matches.Count - 1);
        }
        var events = matches.Select(match => match.Event);
        var notes = cursor.Block.Length == 0 ? filter.Notes : [];
        if (more)
        {
            var (block, index, _) = matches[^1];
            return new SearchPage([.. events], [], total, Seal(cursor with { Block = block.Id.ToString(), Index = index, Total = total }), notes);
        }
        var rest = cursor with { TrailDone = true, Total = total };
        if (!(await StoredAsync(rest, caller, ct)).TryGet(out var stored, out var refusal))
        {
            return refusal;
        }
        return matches.Count == 0
            ? stored with { Notes = notes, Total = total ?? (cursor.Block.Length == 0 ? stored.Total : null) }
            : new SearchPage([.. events], [], total ?? (stored.Matches.IsEmpty && cursor.Block.Length == 0 ? matches.Count : null), stored.Matches.IsEmpty ? null : Seal(rest), notes);
    }

    private async Task<Outcome<SearchPage>> CountAsync(TrailCursor cursor, ResourceFilter filter, ICaller? caller, CancellationToken ct)
    {
        var count = 0L;
        if (!await ScanAsync(cursor with { Block = "" }, filter, _ => ++count > 0, ct))
        {
            return TooCostly();
        }
        var parameters = cursor.Parameters.RemoveAll(parameter => parameter.Key is "_summary" or "_count" or "_total" or "_sort").Add(new("_summary", "count"));
        return (await _stored.SearchAsync(new("AuditEvent", parameters, cursor.Strict, Caller: caller), ct)).TryGet(out var stored, out var failure)
            ? new SearchPage([], [], count + stored.Total, null, filter.Notes, CountOnly: true)
            : failure;
    }

    /// <returns>False where it would look at too many.</returns>
    private async ValueTask<bool> ScanAsync(TrailCursor cursor, ResourceFilter filter, Func<(OpenedBlock, int, StoredResource), bool> onMatch, CancellationToken ct)
    {
        var looked = 0;
        var (from, to) = filter.SpanOf("date");
        var where = _walk.Narrow(filter);
        if (ReferenceEquals(where, Predicate.Nothing))
        {
            return true;
        }
        // The block that the last page ended in is walked again: its older entries come next.
        var after = cursor.Block.Length == 0 ? null : cursor.Block + "-z";
        await foreach (var block in _walk.RunAsync(where, from, to, after, ct))
        {
            var first = block.Id.ToString() == cursor.Block ? cursor.Index - 1 : block.Block.Count - 1;
            for (var index = first; index >= 0; index--)
            {
                if (++looked > _mostEntries)
                {
                    return false;
                }
                var found = Resource(block, index);
                if (IsMatch(filter, found) && !onMatch((block, index, found)))
                {
                    return true;
                }
            }
        }
        return true;
    }

    private static bool IsMatch(ResourceFilter filter, StoredResource found)
    {
        if (filter.IsEverything)
        {
            return true;
        }
        using var json = JsonDocument.Parse(found.Json);
        return filter.Matches(found.Key, json.RootElement);
    }

    private async Task<Outcome<SearchPage>> StoredAsync(TrailCursor cursor, ICaller? caller, CancellationToken ct)
    {
        var parameters = cursor.Parameters.RemoveAll(parameter => parameter.Key is "_total" or "_sort");
        if (!(await _stored.SearchAsync(new("AuditEvent", parameters, cursor.Strict, cursor.StoredPage, caller), ct)).TryGet(out var page, out var failure))
        {
            return failure;
        }
        return page with { Next = page.Next is { } next ? Seal(cursor with { StoredPage = next }) : null, Notes = [], Total = cursor.Total ?? page.Total };
    }

    private StoredResource Resource(OpenedBlock block, int index)
    {
        var id = block.Id.EventId(index);
        var entry = block.Block[index];
        return new(new("AuditEvent", id), 1, entry.At, false, BalpEvent.Write(id, entry, _source));
    }

    private string Seal(TrailCursor cursor) => _protector.Seal(Purpose, cursor.Write());

    private FhirFailure TooCostly() => FhirFailure.Of(FailureKind.Invalid,
        $"This search would look at more than {_mostEntries} events. Narrow it with date, patient, agent or entity.", code: "too-costly");
}
