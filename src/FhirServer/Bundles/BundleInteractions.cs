using System.Collections.Immutable;
using Authorization.Access;
using FhirCore;
using FhirServer.Auditing;
using FhirServer.Http;
using FhirServer.Interactions;
using FhirServer.Provenances;
using FhirStore;
using FhirStore.Writing;

namespace FhirServer.Bundles;

/// <summary>
/// batch: each entry on its own, in the order given. transaction: all writes in one commit or none, then the reads.
/// https://hl7.org/fhir/R4/http.html#transaction
/// </summary>
internal sealed class BundleInteractions(ResourceStore store, RequestAudit audit, int mostEntries)
{
    private const int MostIssues = 100;

    public async ValueTask<FhirReply> ProcessAsync(FhirRequest request, FhirDispatcher dispatcher, CancellationToken ct)
    {
        if (!BundleReader.Read(request.Body, mostEntries).TryGet(out var bundle, out var failure))
        {
            return FhirReply.Refused(failure);
        }
        if (AccessDecision.Decide(request.Grant, Interaction.Bundle, null) is { } refusal)
        {
            return FhirReply.Refused(refusal);
        }
        if (request.Provenance is not null && !bundle.IsTransaction)
        {
            return FhirReply.Refused(XProvenance.InBatch);
        }
        return bundle.IsTransaction
            ? await TransactAsync(request, bundle, dispatcher, ct)
            : await BatchAsync(request, bundle, dispatcher, ct);
    }

    private async ValueTask<FhirReply> BatchAsync(FhirRequest request, IncomingBundle bundle, FhirDispatcher dispatcher, CancellationToken ct)
    {
        var replies = new FhirReply[bundle.Entries.Count];
        for (var i = 0; i < replies.Length; i++)
        {
            var entry = bundle.Entries[i];
            if (!EntryRequests.Make(request, entry, inTransaction: false).TryGet(out var inner, out var failure))
            {
                replies[i] = FhirReply.Refused(failure);
                audit.RecordEntryRefusal(request, failure);
                continue;
            }
            var reply = await dispatcher.DispatchAsync(inner, ct);
            audit.RecordEntry(inner, reply);
            replies[i] = Relocate(reply, entry);
        }
        return ResponseBundle.Write(request.Base, "batch-response", bundle.Entries, replies);
    }

    private async ValueTask<FhirReply> TransactAsync(FhirRequest request, IncomingBundle bundle, FhirDispatcher dispatcher, CancellationToken ct)
    {
        if (!Plan(request, bundle).TryGet(out var plan, out var failure))
        {
            return FhirReply.Refused(failure);
        }
        var replies = new FhirReply[bundle.Entries.Count];
        var writes = plan.Writes;
        if (request.Provenance is { } provenance && !XProvenance.Add(provenance, request, writes).TryGet(out writes, out failure))
        {
            return FhirReply.Refused(failure);
        }
        if (writes.Length > 0)
        {
            if (!(await store.WriteAsync(writes, request.Caller, ct)).TryGet(out var outcomes, out failure))
            {
                return FhirReply.Refused(failure);
            }
            for (var i = 0; i < plan.Order.Length; i++)
            {
                var entry = plan.Order[i];
                replies[entry] = WriteReplies.Of(plan.Requests[entry], outcomes[i]);
                audit.RecordEntry(plan.Requests[entry], replies[entry]);
            }
        }
        // Reads see what the transaction wrote. By now it stands: a read that finds nothing is told in its own entry.
        foreach (var entry in plan.Reads)
        {
            var reply = await dispatcher.DispatchAsync(plan.Requests[entry], ct);
            audit.RecordEntry(plan.Requests[entry], reply);
            replies[entry] = Relocate(reply, bundle.Entries[entry]);
        }
        return ResponseBundle.Write(request.Base, "transaction-response", bundle.Entries, replies);
    }

    /// <summary>Everything that can be refused without the store is looked at first, and told whole.</summary>
    private static Outcome<TransactionPlan> Plan(FhirRequest outer, IncomingBundle bundle)
    {
        var requests = new FhirRequest[bundle.Entries.Count];
        var issues = new List<Issue>();
        var kind = FailureKind.Invalid;
        var reads = new List<int>();
        var writes = new List<(int Rank, int Entry, WriteRequest Write)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in bundle.Entries)
        {
            if (issues.Count > MostIssues)
            {
                break;
            }
            if (!PlanEntry(outer, entry, names).TryGet(out var planned, out var failure))
            {
                kind = issues.Count == 0 ? failure.Kind : kind;
                issues.AddRange(failure.Issues);
                continue;
            }
            requests[entry.Index] = planned.Request;
            if (planned.Write is { } write)
            {
                writes.Add((Rank(planned.Request.Method), entry.Index, write));
            }
            else
            {
                reads.Add(entry.Index);
            }
        }
        if (issues.Count > 0)
        {
            return new FhirFailure(kind, [.. issues.Take(MostIssues)]);
        }
        writes.Sort((a, b) => a.Rank != b.Rank ? a.Rank.CompareTo(b.Rank) : a.Entry.CompareTo(b.Entry));
        return new TransactionPlan(requests, [.. writes.Select(write => write.Write)], [.. writes.Select(write => write.Entry)], reads);
    }

    private static Outcome<PlannedEntry> PlanEntry(FhirRequest outer, IncomingEntry entry, HashSet<string> names)
    {
        if (!EntryRequests.Make(outer, entry, inTransaction: true).TryGet(out var request, out var failure))
        {
            return failure;
        }
        var interaction = InteractionTable.Find(request.Route.Kind, request.Method);
        if (!InteractionTable.IsOffered(interaction))
        {
            return EntryRequests.Located(FhirFailure.Of(FailureKind.Invalid,
                $"{request.Method} of this url is not offered in a transaction; see [base]/metadata.", code: "not-supported"), entry, "method");
        }
        if (interaction == FhirInteraction.Operation)
        {
            return EntryRequests.Located(FhirFailure.Of(FailureKind.Invalid,
                "Operations are not offered inside of a transaction; send the operation by itself, or in a batch.", code: "not-supported"), entry, "url");
        }
        if ((AccessDecision.Decide(outer.Grant, InteractionTable.Needed(request, interaction), request.Route.Type)
            ?? SearchReach.Check(outer.Grant, request)) is { } refusal)
        {
            return EntryRequests.Located(refusal, entry, "url");
        }
        if (ConditionalReferences.Check(outer.Grant, request) is { } forbidden)
        {
            return EntryRequests.InResource(forbidden, entry.Location);
        }
        if (request.IsRead)
        {
            return new PlannedEntry(request, null);
        }
        if (request.Route.Kind == RouteKind.TypeSearch)
        {
            return EntryRequests.Located(FhirFailure.Of(FailureKind.Invalid, "Search in a transaction by GET.", code: "not-supported"), entry, "method");
        }
        if (entry.FullUrl is { Length: > 0 } name && !names.Add(name))
        {
            return FhirFailure.Of(FailureKind.Invalid, "Another entry of this transaction has the same fullUrl.", $"{entry.Location}.fullUrl", "value");
        }
        return WriteRequests.Make(request).TryGet(out var write, out failure)
            ? new PlannedEntry(request, write with { InTransaction = true, FullUrl = string.IsNullOrEmpty(entry.FullUrl) ? null : entry.FullUrl })
            : EntryRequests.InResource(failure, entry.Location);
    }

    private static int Rank(string method) => method switch
    {
        "DELETE" => 0,
        "POST" => 1,
        _ => 2,
    };

    private static FhirReply Relocate(FhirReply reply, IncomingEntry entry) => reply.Failure is { } failure
        ? new()
        {
            Status = reply.Status,
            Failure = EntryRequests.InResource(failure, entry.Location),
            Version = reply.Version,
            LastModified = reply.LastModified,
        }
        : reply;

    private sealed record PlannedEntry(FhirRequest Request, WriteRequest? Write);

    /// <param name="Order">Entry of each write.</param>
    private sealed record TransactionPlan(FhirRequest[] Requests, ImmutableArray<WriteRequest> Writes, ImmutableArray<int> Order, List<int> Reads);
}
