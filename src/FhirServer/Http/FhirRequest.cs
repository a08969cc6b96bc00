using System.Collections.Immutable;
using Authorization.Access;
using FhirServer.Auditing;
using FhirStore.Access;

namespace FhirServer.Http;

/// <summary>One interaction, whether it came as an HTTP request or as an entry of a Bundle.</summary>
public sealed record FhirRequest
{
    public required FhirRoute Route { get; init; }

    /// <summary>HTTP method in capitals.</summary>
    public required string Method { get; init; }

    public required FhirBase Base { get; init; }

    /// <summary>What the bearer of its token may do.</summary>
    public required Grant Grant { get; init; }

    /// <summary>The grant's reach at this moment; null where it is not limited.</summary>
    public ICaller? Caller { get; init; }

    /// <summary>Why a practitioner must see what labels and consents hide from them (<c>X-Break-Glass</c>); null where they said nothing. For the audit.</summary>
    public string? BreakGlass { get; init; }

    /// <summary>Where it comes from.</summary>
    public required RequestOrigin Origin { get; init; }

    /// <summary>Query as it came, with its <c>?</c>; empty where there is none.</summary>
    public string RawQuery { get; init; } = "";

    /// <summary>Decoded; of a <c>POST _search</c> with those of the form.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Query { get; init; } = [];

    /// <summary>The form that is asked for beside JSON, of those its operation offers; null for JSON.</summary>
    public MediaType? Media { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    public string? IfMatch { get; init; }

    public string? IfNoneMatch { get; init; }

    public string? IfModifiedSince { get; init; }

    public string? IfNoneExist { get; init; }

    /// <summary>Null where nobody counts; entries of a Bundle share that of their Bundle.</summary>
    internal RequestCost? Cost { get; init; }

    /// <summary><c>X-Provenance</c> as it came, of a create, an update or a transaction.</summary>
    public string? Provenance { get; init; }

    public string? IdempotencyKey { get; init; }

    public Preferences Prefer { get; init; }

    /// <summary>FHIRPath of the Bundle entry this came from; null for a request of its own.</summary>
    public string? Location { get; init; }

    /// <summary>It is an entry of a transaction, and may refer to what its criteria match.</summary>
    public bool InTransaction { get; init; }

    public bool IsRead => Method is "GET" or "HEAD";
}
