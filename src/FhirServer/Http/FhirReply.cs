using FhirCore;
using FhirStore;

namespace FhirServer.Http;

/// <summary>The answer to one interaction, not yet written: as an HTTP response, or as an entry of a response Bundle.</summary>
public sealed class FhirReply
{
    public required int Status { get; init; }

    /// <summary>UTF-8 JSON, unless <see cref="Media"/> says otherwise; empty for no body.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Null for JSON. A refusal is JSON always.</summary>
    public MediaType? Media { get; init; }

    /// <summary>Why it was refused; its OperationOutcome is the body.</summary>
    public FhirFailure? Failure { get; init; }

    /// <summary>Sent as ETag.</summary>
    public long? Version { get; init; }

    public DateTimeOffset? LastModified { get; init; }

    /// <summary>The resource that was read or written, where it is one: for the audit, also where the body says nothing of it.</summary>
    public StoredResource? Resource { get; init; }

    /// <summary>Absolute address of what was written.</summary>
    public string? Location { get; init; }

    public string? ContentLocation { get; init; }

    /// <summary>When what was written stops to hold (a hold of a slot).</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The answer was given before, under the same Idempotency-Key.</summary>
    public bool IsReplay { get; init; }

    /// <summary>Methods that the resource does take, on a 405.</summary>
    public string? Allow { get; init; }

    public static FhirReply Refused(FhirFailure failure, string? allow = null)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return new() { Status = failure.Status, Failure = failure, Allow = allow };
    }

    public static FhirReply MethodNotAllowed(string method, string allow) =>
        Refused(FhirFailure.Of(FailureKind.MethodNotAllowed, $"{method} is not offered here; offered: {allow}."), allow);

    /// <summary>A version of a resource, as a read answers it.</summary>
    public static FhirReply Of(StoredResource resource)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return new() { Status = 200, Body = resource.Json, Version = resource.Version, LastModified = resource.LastUpdated, Resource = resource };
    }
}
