using Authorization.Accounts;
using FhirStore.Sealed;

namespace Authorization.Tokens;

/// <summary>Whether the session is still there that a grant for <c>online_access</c> lives by.</summary>
public sealed class OnlineAccess(SealedRecords<StoredSession> sessions, TimeProvider clock)
{
    /// <remarks>An app that asks shows that its user is there: a session is over when it was ended or has lasted too long, not for being quiet.</remarks>
    public async ValueTask<bool> IsThereAsync(string? sessionId, CancellationToken ct) =>
        sessionId is not null && await sessions.FindAsync(sessionId, ct) is { } found && found.Value.Ends > clock.GetUtcNow();
}
