using System.Collections.Immutable;
using System.Text.Json;
using FhirCore;
using FhirStore.Access;
using SchedulingOperations.Views;

namespace SchedulingOperations;

public enum SchedulingOperation
{
    /// <summary><c>Appointment/$find</c>, GET and POST.</summary>
    Find,
    /// <summary><c>Appointment/$hold</c> and <c>Appointment/[id]/$hold</c>.</summary>
    Hold,
    /// <summary><c>Appointment/$book</c> and <c>Appointment/[id]/$book</c>.</summary>
    Book,
    /// <summary><c>Appointment/[id]/$cancel</c>, and <c>Appointment/$cancel</c> with <c>appointment-reference</c>.</summary>
    Cancel,
    /// <summary><c>Appointment/[id]/$confirm</c>.</summary>
    Confirm,
    /// <summary><c>Appointment/[id]/$reschedule</c>.</summary>
    Reschedule,
}

/// <summary>Whose shapes are spoken; decided by the base the request came to.</summary>
public enum SchedulingDialect
{
    /// <summary>ISiK/R4 shapes, IHE's where the parameter names or the profile say so.</summary>
    Default,
    Ihe,
    Isik,
    Argo,
}

/// <summary>https://hl7.org/fhir/R4/http.html#ops, Prefer: return.</summary>
public enum PreferReturn
{
    Representation,
    Minimal,
    OperationOutcome,
}

/// <summary>One call of an operation, freed from HTTP.</summary>
public sealed record SchedulingCall
{
    public required SchedulingOperation Operation { get; init; }

    /// <summary>Id from <c>Appointment/[id]/$…</c>; null on the type.</summary>
    public string? InstanceId { get; init; }

    /// <summary>Decoded query parameters in the order they came, without <c>_format</c> and <c>_pretty</c>.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Query { get; init; } = [];

    /// <summary>A Parameters resource or a bare Appointment, structurally valid; null where there was no body.</summary>
    public JsonElement? Body { get; init; }

    public SchedulingDialect Dialect { get; init; }

    /// <summary>Who calls: holds and idempotency keys belong to a client, or to one user of it.</summary>
    public required string ClientId { get; init; }

    /// <summary>Who is named as the author of what is booked. Null: whoever <see cref="ClientId"/> is.</summary>
    public CallAuthor? Author { get; init; }

    /// <summary>What the caller reaches; null is not limited. What they do not reach is answered as what is not there.</summary>
    public ICaller? Caller { get; init; }

    public string? IdempotencyKey { get; init; }

    /// <summary>Version the appointment must have, from If-Match; null where any will do. Of <c>$cancel</c>, <c>$confirm</c> and <c>$reschedule</c>.</summary>
    public long? IfMatch { get; init; }

    public PreferReturn PreferReturn { get; init; }

    /// <summary>Prefer: handling=strict.</summary>
    public bool Strict { get; init; }

    /// <summary>The public base that the request came to, without a slash at its end.</summary>
    public required string BaseUrl { get; init; }

    /// <summary>The base under which references in stored resources are absolute; a dialect's base is another address of the same data.</summary>
    internal string? MainBaseUrl { get; init; }

    /// <summary>The caller's token allows creating a Patient: only then may <c>$book</c> store a <c>patient-resource</c> nobody knows yet.</summary>
    public bool MayCreatePatient { get; init; }

    /// <summary>Reads a reference to a resource of this server, in whatever form the client gave it.</summary>
    internal bool TryParse(string? reference, out ResourceKey key) => References.TryParse(reference, BaseUrl, out key) || References.TryParse(reference, MainBaseUrl, out key);
}

/// <summary>What goes out: complete but for the HTTP.</summary>
/// <param name="Body">UTF-8 JSON; null for none.</param>
public sealed record SchedulingReply(int Status, ReadOnlyMemory<byte>? Body)
{
    /// <summary>Absolute URL of the version made, for 201.</summary>
    public string? Location { get; init; }

    /// <summary>Version of the appointment the reply is about, for ETag.</summary>
    public long? Version { get; init; }

    public DateTimeOffset? LastUpdated { get; init; }

    /// <summary>When the hold ends, to the second.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The answer was given before under the same <c>Idempotency-Key</c>.</summary>
    public bool IsReplay { get; init; }
}

/// <summary>Who calls, to be named in a Provenance.</summary>
/// <param name="AccountId">Of the person who is signed in; null for a client that acts for itself.</param>
/// <param name="FhirUser">The person as a resource, where there is one.</param>
public sealed record CallAuthor(string ClientId, string? AccountId = null, ResourceKey? FhirUser = null);
