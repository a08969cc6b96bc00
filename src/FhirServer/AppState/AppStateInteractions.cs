using Authorization.AppState;
using Authorization.Scopes;
using Authorization.Server;
using FhirCore;
using FhirServer.Http;
using FhirServer.Interactions;
using FhirStore;
using FhirStore.Json;
using FhirStore.Sealed;

namespace FhirServer.AppState;

/// <summary>
/// <c>Basic</c> at the app-state endpoint, https://hl7.org/fhir/smart-app-launch/app-state.html: create, update, delete, read, and search by
/// code with subject or <c>subject:missing</c>. No other interaction is there.
/// </summary>
internal sealed class AppStateInteractions(AppStates states, StateAccess access, PublicAddresses addresses)
{
    private const string Type = "Basic";

    public async ValueTask<FhirReply> AnswerAsync(FhirRequest request, FhirInteraction interaction, CancellationToken ct)
    {
        if (request.Route.Type != Type)
        {
            return FhirReply.Refused(FhirFailure.Of(FailureKind.NotFound, "The app-state endpoint knows Basic only.", code: "not-supported"));
        }
        if (request.Provenance is not null || request.IfNoneExist is not null || (request.Method is "PUT" or "DELETE" && request.IfNoneMatch is not null))
        {
            return FhirReply.Refused(FhirFailure.Of(FailureKind.Invalid, "X-Provenance, If-None-Exist and If-None-Match of a write are not offered for app states.", code: "not-supported"));
        }
        return (interaction, request.Route.Kind) switch
        {
            (FhirInteraction.Create, RouteKind.Type) => await CreateAsync(request, ct),
            (FhirInteraction.Update, RouteKind.Instance) => await UpdateAsync(request, ct),
            (FhirInteraction.Delete, RouteKind.Instance) => await DeleteAsync(request, ct),
            (FhirInteraction.Read, RouteKind.Instance) => await ReadAsync(request, ct),
            (FhirInteraction.SearchType, RouteKind.Type) => await SearchAsync(request, ct),
            _ => FhirReply.MethodNotAllowed(request.Method, request.Route.Kind switch { RouteKind.Type => "GET, HEAD, POST", RouteKind.Instance => "GET, HEAD, PUT, DELETE", _ => "" }),
        };
    }

    private async ValueTask<FhirReply> CreateAsync(FhirRequest request, CancellationToken ct)
    {
        if (!Parse(request).TryGet(out var parsed, out var failure))
        {
            return FhirReply.Refused(failure);
        }
        if (parsed.Id is not null)
        {
            return FhirReply.Refused(FhirFailure.Of(FailureKind.Invalid, "Basic.id is given by the server: leave it out.", "Basic.id"));
        }
        if (!StateRules.Read(parsed.Root, addresses).TryGet(out var key, out failure))
        {
            return FhirReply.Refused(failure);
        }
        if (await access.CheckAsync(request.Grant, Permissions.Create, key, ct) is { } forbidden)
        {
            return FhirReply.Refused(forbidden);
        }
        return (await states.CreateAsync(key, parsed.Root, ct)).TryGet(out var made, out failure) ? Of(made, 201, $"{request.Base.Url}/{Type}/{made.Id}") : FhirReply.Refused(failure);
    }

    private async ValueTask<FhirReply> UpdateAsync(FhirRequest request, CancellationToken ct)
    {
        if (!IfMatch(request).TryGet(out var version, out var failure) || !Parse(request).TryGet(out var parsed, out failure))
        {
            return FhirReply.Refused(failure);
        }
        if (parsed.Id != request.Route.Id)
        {
            return FhirReply.Refused(FhirFailure.Of(FailureKind.Invalid, "An update carries the id in the body, the same as in the URL.", "Basic.id"));
        }
        // The version comes with what was read: it is no claim on the next one.
        if (!StateRules.Read(WithoutVersion(parsed), addresses).TryGet(out var key, out failure))
        {
            return FhirReply.Refused(failure);
        }
        if (!(await ExpectAsync(request, Permissions.Update, version, ct)).TryGet(out var known, out failure))
        {
            return FhirReply.Refused(failure);
        }
        if (known.Value.Key != key)
        {
            return FhirReply.Refused(FhirFailure.Of(FailureKind.Stale, "The code and the subject of an app state never change: create another one.", "Basic.code"));
        }
        return await states.TryUpdateAsync(known, parsed.Root, ct) is { } changed ? Of(changed, 200) : FhirReply.Refused(NotThis);
    }

    private async ValueTask<FhirReply> DeleteAsync(FhirRequest request, CancellationToken ct)
    {
        if (!IfMatch(request).TryGet(out var version, out var failure) || !(await ExpectAsync(request, Permissions.Delete, version, ct)).TryGet(out var known, out failure))
        {
            return FhirReply.Refused(failure);
        }
        return await states.TryDeleteAsync(known, ct) ? new() { Status = 204, Resource = Resource(known) } : FhirReply.Refused(NotThis);
    }

    private async ValueTask<FhirReply> ReadAsync(FhirRequest request, CancellationToken ct) =>
        await states.FindAsync(request.Route.Id!, ct) is { } found && await access.CheckAsync(request.Grant, Permissions.Read, found.Value.Key, ct) is null
            ? ReadInteractions.Answer(request, Resource(found))
            : ReadInteractions.Answer(request, null);

    private async ValueTask<FhirReply> SearchAsync(FhirRequest request, CancellationToken ct)
    {
        if (!ReadQuery(request).TryGet(out var key, out var failure))
        {
            return FhirReply.Refused(failure);
        }
        if (await access.CheckAsync(request.Grant, Permissions.Search, key, ct) is { } forbidden)
        {
            return FhirReply.Refused(forbidden);
        }
        var found = await states.ListAsync(key, ct);
        var body = new JsonBuffer();
        body.Json.WriteStartObject();
        body.Json.WriteString("resourceType", "Bundle");
        body.Json.WriteString("type", "searchset");
        body.Json.WriteNumber("total", found.Count);
        body.Json.WriteStartArray("link");
        BundleWriting.WriteLink(body.Json, "self", $"{request.Base.Url}/{Type}{request.RawQuery}");
        body.Json.WriteEndArray();
        if (found.Count > 0)
        {
            body.Json.WriteStartArray("entry");
            foreach (var state in found)
            {
                body.Json.WriteStartObject();
                body.Json.WriteString("fullUrl", $"{request.Base.Url}/{Type}/{state.Id}");
                body.Splice("resource", state.Value.Json);
                body.Json.WriteStartObject("search");
                body.Json.WriteString("mode", "match");
                body.Json.WriteEndObject();
                body.Json.WriteEndObject();
            }
            body.Json.WriteEndArray();
        }
        body.Json.WriteEndObject();
        return new() { Status = 200, Body = body.ToBody() };
    }

    /// <summary><c>code=system|code</c> and one of <c>subject=</c> and <c>subject:missing=true</c>, each exactly as it is stored.</summary>
    private Outcome<StateKey> ReadQuery(FhirRequest request)
    {
        string? code = null, subject = null;
        var isGlobal = false;
        foreach (var (name, value) in request.Query)
        {
            switch (name)
            {
                case "code" when code is null && value.IndexOf('|', StringComparison.Ordinal) is > 0 and var bar && bar < value.Length - 1:
                    code = value;
                    break;
                case "subject" when subject is null && !isGlobal:
                    subject = value;
                    break;
                case "subject:missing" when value == "true" && subject is null:
                    isGlobal = true;
                    break;
                case "_format" or "_pretty":
                    break;
                default:
                    return Wrong($"App states are searched by code=system|code with subject=[absolute reference] or subject:missing=true; '{name}' is not understood here, or stands twice.");
            }
        }
        if (code is null || (subject is null && !isGlobal))
        {
            return Wrong("A search for app states names the code (code=system|code), and the subject: subject=[absolute reference], or subject:missing=true for the app as a whole.");
        }
        var at = code.LastIndexOf('|');
        return isGlobal ? new StateKey(code[..at], code[(at + 1)..], null)
            : StateRules.TryReadSubject(subject, addresses, out var whose) ? new StateKey(code[..at], code[(at + 1)..], whose)
            : Wrong($"subject is an absolute reference to a Patient, Practitioner, PractitionerRole, RelatedPerson or Person of this server: {addresses.FhirBase}/Patient/123.");
    }

    /// <summary>What is not there, not within reach, or at another version by now: one answer, so that ids cannot be probed.</summary>
    private async ValueTask<Outcome<Sealed<StoredState>>> ExpectAsync(FhirRequest request, Permissions needed, long version, CancellationToken ct) =>
        await states.FindAsync(request.Route.Id!, ct) is { } found && found.Version == version && await access.CheckAsync(request.Grant, needed, found.Value.Key, ct) is null
            ? found : NotThis;

    private static FhirFailure NotThis =>
        FhirFailure.Of(FailureKind.Stale, "If-Match does not name the version that stands here now, or there is no such app state. Search for it again.", "Basic.meta.versionId");

    private static Outcome<long> IfMatch(FhirRequest request) =>
        !ETags.ParseIfMatch(request.IfMatch).TryGet(out var version, out var failure) && failure is not null ? failure
        : version is { } named ? named
        : FhirFailure.Of(FailureKind.PreconditionRequired, "App states are changed and deleted with If-Match: the ETag of the version that was read.");

    private static Outcome<ParsedResource> Parse(FhirRequest request) =>
        request.Body.Length > StateRules.LongestBody
            ? FhirFailure.Of(FailureKind.TooLarge, $"An app state has at most {StateRules.LongestBody} bytes.")
            : ResourceParser.Parse(request.Body, Type);

    private static System.Text.Json.JsonElement WithoutVersion(ParsedResource parsed)
    {
        if (!parsed.Root.TryGetProperty("meta", out var meta) || !meta.TryGetProperty("versionId", out _))
        {
            return parsed.Root;
        }
        var copy = System.Text.Json.Nodes.JsonObject.Create(parsed.Root)!;
        copy["meta"]!.AsObject().Remove("versionId");
        return System.Text.Json.JsonSerializer.SerializeToElement(copy);
    }

    private static FhirFailure Wrong(string diagnostics) => FhirFailure.Of(FailureKind.Invalid, diagnostics);

    private static FhirReply Of(Sealed<StoredState> state, int status, string? location = null) =>
        new() { Status = status, Body = state.Value.Json, Version = state.Version, LastModified = state.Value.At, Resource = Resource(state), Location = location };

    private static StoredResource Resource(Sealed<StoredState> state) =>
        new(new(Type, state.Id), state.Version, state.Value.At, Deleted: false, state.Value.Json) { Partition = state.Value.Key.Subject is { Type: "Patient" } patient ? patient.Id : state.Id };
}
