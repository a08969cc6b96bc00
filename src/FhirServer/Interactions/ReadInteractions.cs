using System.Globalization;
using FhirCore;
using FhirServer.Http;
using FhirStore;
using FhirStore.Access;

namespace FhirServer.Interactions;

/// <summary>read and vread, with conditional reads, https://hl7.org/fhir/R4/http.html#read.</summary>
internal sealed class ReadInteractions(ResourceStore store)
{
    public ValueTask<FhirReply> ReadAsync(FhirRequest request, CancellationToken ct)
    {
        var pending = store.ReadAsync(request.Route.Key, ct);
        if (request.Caller?.Reach(Use.Read, request.Route.Type!) is { IsEverything: false } reach)
        {
            return AnswerWithinAsync(request, reach, pending, NotThere(request.Route), ct);
        }
        return pending.IsCompletedSuccessfully ? new(Answer(request, pending.Result)) : AwaitAsync(request, pending);

        static async ValueTask<FhirReply> AwaitAsync(FhirRequest request, ValueTask<StoredResource?> pending) =>
            Answer(request, await pending);
    }

    public async ValueTask<FhirReply> ReadVersionAsync(FhirRequest request, CancellationToken ct)
    {
        if (!long.TryParse(request.Route.Tail, NumberStyles.None, CultureInfo.InvariantCulture, out var version) || version == 0)
        {
            return FhirReply.Refused(NoVersion(request.Route));
        }
        var pending = store.ReadVersionAsync(request.Route.Key, version, ct);
        if (request.Caller?.Reach(Use.Read, request.Route.Type!) is { IsEverything: false } reach)
        {
            return await AnswerWithinAsync(request, reach, pending, NoVersion(request.Route), ct);
        }
        var found = await pending;
        return found is null ? FhirReply.Refused(NoVersion(request.Route)) : Answer(request, found);
    }

    /// <summary>What is out of reach answers as what never was: not 410, not 304.</summary>
    private async ValueTask<FhirReply> AnswerWithinAsync(FhirRequest request, Restriction reach, ValueTask<StoredResource?> pending, FhirFailure notThere, CancellationToken ct) =>
        await pending is { } found && await store.ReadContentAsync(found, ct) is { } content && reach.Admits(content) ? Answer(request, found) : FhirReply.Refused(notThere);

    /// <param name="found">Null where there never was one.</param>
    internal static FhirReply Answer(FhirRequest request, StoredResource? found)
    {
        if (found is null)
        {
            return FhirReply.Refused(NotThere(request.Route));
        }
        if (found.Deleted)
        {
            return new()
            {
                Status = 410,
                Failure = FhirFailure.Of(FailureKind.Gone, $"{found.Key} was deleted."),
                Version = found.Version,
                LastModified = found.LastUpdated,
                Resource = found,
            };
        }
        return IsKnownToClient(request, found)
            ? new() { Status = 304, Version = found.Version, LastModified = found.LastUpdated, Resource = found }
            : FhirReply.Of(found);
    }

    /// <summary>If-None-Match wins over If-Modified-Since where both are sent (RFC 9110, 13.1.3).</summary>
    private static bool IsKnownToClient(FhirRequest request, StoredResource found)
    {
        if (request.IfNoneMatch is { } tags)
        {
            return ETags.Names(tags, found.Version);
        }
        // HTTP dates have no fraction of a second: a change within the named second must not be hidden.
        return request.IfModifiedSince is { } text && HttpDates.TryParse(text, out var since) && found.LastUpdated <= since;
    }

    private static FhirFailure NotThere(FhirRoute route) => FhirFailure.Of(FailureKind.NotFound, $"{route.Type}/{route.Id} does not exist.");

    private static FhirFailure NoVersion(FhirRoute route) =>
        FhirFailure.Of(FailureKind.NotFound, $"{route.Type}/{route.Id} has no such version.");
}
