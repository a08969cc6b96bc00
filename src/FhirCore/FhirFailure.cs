using System.Collections.Immutable;

namespace FhirCore;

/// <summary>Why a request was refused. <see cref="FhirFailure.Status"/> is the only table from kind to HTTP status.</summary>
public enum FailureKind
{
    /// <summary>The request itself is malformed: bad JSON, bad parameter, wrong cardinality.</summary>
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    /// <summary>Was there, and was deleted.</summary>
    Gone,
    MethodNotAllowed,
    NotAcceptable,
    /// <summary>The state of the server speaks against it: a taken slot, an id in use.</summary>
    Conflict,
    /// <summary><c>If-Match</c> named a version that is not the current one, or a conditional interaction found several matches.</summary>
    Stale,
    PreconditionRequired,
    TooLarge,
    UnsupportedMediaType,
    /// <summary>Well formed, but against a rule of FHIR or of the business.</summary>
    Unprocessable,
    TooManyRequests,
    /// <summary>An engine is away; the caller may try again.</summary>
    Unavailable,
}

public enum IssueSeverity
{
    Fatal,
    Error,
    Warning,
    Information,
}

/// <summary>One issue of an OperationOutcome, https://hl7.org/fhir/R4/operationoutcome.html.</summary>
/// <param name="Code">A code of http://hl7.org/fhir/issue-type, such as <c>structure</c> or <c>conflict</c>.</param>
/// <param name="Diagnostics">Tells a developer of a client what to change. Holds no value of a patient's.</param>
/// <param name="Expression">FHIRPath of the element, such as <c>Patient.name[0].family</c>.</param>
/// <param name="Detail">A code of our own that programs can act on, such as <c>slot-unavailable</c>.</param>
public sealed record Issue(IssueSeverity Severity, string Code, string Diagnostics, string? Expression = null, string? Detail = null)
{
    public static Issue Error(string code, string diagnostics, string? expression = null, string? detail = null) =>
        new(IssueSeverity.Error, code, diagnostics, expression, detail);

    public static Issue Warning(string code, string diagnostics, string? expression = null) =>
        new(IssueSeverity.Warning, code, diagnostics, expression);

    public static Issue Information(string code, string diagnostics, string? expression = null) =>
        new(IssueSeverity.Information, code, diagnostics, expression);
}

/// <summary>A refusal that the caller can act on. Faults of ours stay exceptions and tell the caller nothing but a trace id.</summary>
public sealed record FhirFailure(FailureKind Kind, ImmutableArray<Issue> Issues)
{
    /// <summary>Time after which a repeated request may succeed; sent as <c>Retry-After</c>.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>A failure of one issue, whose code follows from the kind unless told.</summary>
    public static FhirFailure Of(FailureKind kind, string diagnostics, string? expression = null, string? code = null, string? detail = null) =>
        new(kind, [Issue.Error(code ?? DefaultCode(kind), diagnostics, expression, detail)]);

    /// <summary>HTTP status of the answer, https://hl7.org/fhir/R4/http.html#Status-Codes.</summary>
    public int Status => Kind switch
    {
        FailureKind.Invalid => 400,
        FailureKind.Unauthenticated => 401,
        FailureKind.Forbidden => 403,
        FailureKind.NotFound => 404,
        FailureKind.MethodNotAllowed => 405,
        FailureKind.NotAcceptable => 406,
        FailureKind.Conflict => 409,
        FailureKind.Gone => 410,
        FailureKind.Stale => 412,
        FailureKind.TooLarge => 413,
        FailureKind.UnsupportedMediaType => 415,
        FailureKind.Unprocessable => 422,
        FailureKind.PreconditionRequired => 428,
        FailureKind.TooManyRequests => 429,
        FailureKind.Unavailable => 503,
        _ => throw new ArgumentOutOfRangeException(nameof(Kind), Kind, "Add the new kind to this table."),
    };

    private static string DefaultCode(FailureKind kind) => kind switch
    {
        FailureKind.Invalid => "invalid",
        FailureKind.Unauthenticated => "login",
        FailureKind.Forbidden => "forbidden",
        FailureKind.NotFound => "not-found",
        FailureKind.Gone => "deleted",
        FailureKind.MethodNotAllowed or FailureKind.NotAcceptable or FailureKind.UnsupportedMediaType => "not-supported",
        FailureKind.Conflict or FailureKind.Stale or FailureKind.PreconditionRequired => "conflict",
        FailureKind.TooLarge => "too-long",
        FailureKind.Unprocessable => "business-rule",
        FailureKind.TooManyRequests => "throttled",
        FailureKind.Unavailable => "transient",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Add the new kind to this table."),
    };
}
