using System.Net;
using FhirCore;

namespace Auditing.Entries;

/// <summary>What kind of thing an entry tells of. The numbers are stored: they never change.</summary>
public enum AuditKind : byte
{
    /// <summary>A FHIR interaction, answered or refused.</summary>
    Access = 1,
    /// <summary>Sign-in, token, consent: <see cref="AuditEntry.Operation"/> says which.</summary>
    Security = 2,
    /// <summary>How far other chains had come: the trail's own bookkeeping.</summary>
    Links = 3,
}

/// <summary>The interaction. The numbers are stored: they never change.</summary>
public enum AuditInteraction : byte
{
    /// <summary>Nothing that the server knows: an unknown path, a method that is not offered.</summary>
    Other = 0,
    Read = 1,
    VRead = 2,
    Update = 3,
    Patch = 4,
    Delete = 5,
    HistoryInstance = 6,
    HistoryType = 7,
    HistorySystem = 8,
    Create = 9,
    Search = 10,
    Batch = 11,
    Transaction = 12,
    Operation = 13,
}

/// <summary>One event as the request path hands it over: references to what is there already, nothing computed.</summary>
public sealed class AuditEntry
{
    public required AuditKind Kind { get; init; }

    /// <summary>When it was over.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>From the request's last byte to the answer.</summary>
    public TimeSpan Took { get; init; }

    public AuditInteraction Interaction { get; init; }

    /// <summary>HTTP status of the answer.</summary>
    public int Status { get; init; }

    /// <summary>Resource type of the route, behind its address where it is not the FHIR server's; null for the whole system.</summary>
    public string? Type { get; init; }

    public string? Id { get; init; }

    /// <summary>Version that was read or written; 0 where none is known.</summary>
    public long Version { get; init; }

    /// <summary>Name of the operation with its dollar sign, or code of the security event.</summary>
    public string? Operation { get; init; }

    /// <summary>Null where the token said nothing that can be trusted.</summary>
    public string? ClientId { get; init; }

    public string? AccountId { get; init; }

    public ResourceKey? FhirUser { get; init; }

    public IPAddress? Address { get; init; }

    /// <summary><c>X-Request-Id</c> of the client, or the server's own trace id.</summary>
    public string? RequestId { get; init; }

    /// <summary>Query as it came, or the form of a <c>POST _search</c>.</summary>
    public string? Query { get; init; }

    /// <summary>Code of the first issue of a refusal, such as <c>forbidden</c>.</summary>
    public string? Issue { get; init; }

    /// <summary>Why the glass was broken, in the user's words.</summary>
    public string? Reason { get; init; }

    /// <summary>Ids of the patients whose data it is about, without repeats.</summary>
    public IReadOnlyList<string> Patients { get; init; } = [];

    /// <summary>Of <see cref="AuditKind.Links"/>.</summary>
    public IReadOnlyList<ChainLink> Links { get; init; } = [];

    public bool IsFailure => Status >= 400;
}

/// <summary>That a chain had this many blocks and ended in this hash.</summary>
/// <param name="Chain">16 hexadecimal digits.</param>
public sealed record ChainLink(string Chain, long Blocks, ReadOnlyMemory<byte> Hash);
