using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;

namespace Authorization.Accounts;

/// <summary>One sign-in of one browser. The browser holds a secret, from which the record's id is made by a key.</summary>
public sealed class StoredSession
{
    public required string AccountId { get; set; }

    public DateTimeOffset Started { get; set; }

    /// <summary>To the minute: not every request writes.</summary>
    public DateTimeOffset LastSeen { get; set; }

    public DateTimeOffset Ends { get; set; }

    /// <summary>How they proved who they are, RFC 8176: <c>pwd</c>, <c>otp</c>, <c>hwk</c>...</summary>
    public string[] Methods { get; set; } = [];

    /// <summary>The browser, as it names itself; for the person to know their own devices by.</summary>
    public string? Device { get; set; }

    /// <summary>Null for a sign-in at this server's own pages.</summary>
    public SessionOrigin? Origin { get; set; }
}

/// <summary>A session that an outside provider's word began.</summary>
/// <param name="Provider">Its name in the settings.</param>
/// <param name="Issuer">Its issuer then.</param>
/// <param name="SessionId">Its own id of the session (<c>sid</c>), by which it tells that it is over.</param>
/// <param name="At">When the person signed in there.</param>
public sealed record SessionOrigin(string Provider, string Issuer, string? SessionId, DateTimeOffset At);

public sealed class SessionIndex(IndexTokens tokens)
{
    public const string RecordType = "_Session";
    private readonly TokenField _account = new(tokens, RecordType, "account");
    private readonly TokenField _outside = new(tokens, RecordType, "outside");
    private readonly IndexTokenKey _secrets = tokens.KeyFor($"{RecordType}/secret");

    public string IdOf(string secret) => SecretId.Of(_secrets, secret);

    public Predicate Account(string id) => _account.Is(id);

    /// <param name="sessionId">The outside provider's own.</param>
    public Predicate Outside(string issuer, string sessionId) => _outside.Is($"{issuer} {sessionId}");

    public void Add(StoredSession session, IndexEntries.Builder entries)
    {
        ArgumentNullException.ThrowIfNull(session);
        _account.Add(entries, session.AccountId);
        _outside.Add(entries, session.Origin is { SessionId: { } sessionId } origin ? $"{origin.Issuer} {sessionId}" : null);
        EndsField.Add(entries, session.Ends);
    }
}

/// <summary>Who the browser of a request is signed in as.</summary>
/// <param name="At">When they proved who they are: <c>auth_time</c> of an id token.</param>
/// <param name="Methods">How, RFC 8176: <c>amr</c> of an id token.</param>
public sealed record SignedIn(string AccountId, Account Account, string SessionId, DateTimeOffset At, IReadOnlyList<string> Methods)
{
    /// <summary>When this browser's session began, which may be later than <see cref="At"/> where an outside provider has signed them in.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>A member of staff who must set up a second factor first: to all but the page for that they are not signed in.</summary>
    internal bool MustAddSecondFactor { get; init; }
}
