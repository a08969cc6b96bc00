using FhirCore;

namespace Authorization.Tokens;

/// <summary>The <c>WWW-Authenticate</c> header of a refusal, RFC 6750 section 3.</summary>
public static class BearerChallenge
{
    /// <summary><see cref="Issue.Detail"/> of a token that was given and is not accepted.</summary>
    public const string InvalidToken = "invalid_token";

    /// <summary><see cref="Issue.Detail"/> of a token that is good, but not for this.</summary>
    public const string InsufficientScope = "insufficient_scope";

    private const string Plain = "Bearer realm=\"fhir\"";

    /// <returns>Null where the failure is not about the token.</returns>
    public static string? Of(FhirFailure failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure switch
        {
            { Kind: FailureKind.Unauthenticated, Issues: [{ Detail: InvalidToken }, ..] } => $"{Plain}, error=\"{InvalidToken}\"",
            { Kind: FailureKind.Unauthenticated } => Plain, // no token came: RFC 6750 wants no error code then
            { Kind: FailureKind.Forbidden, Issues: [{ Detail: InsufficientScope }, ..] } => $"{Plain}, error=\"{InsufficientScope}\"",
            _ => null,
        };
    }
}
