using Authorization.Outside;
using FhirCore.Records;
using FhirStore.Encryption;
using FhirStore.Sealed;

namespace Authorization.Accounts;

/// <summary>What a browser has begun that needs one more proof.</summary>
public enum FlowKind
{
    /// <summary>Registration: the contact is to be proven by a code.</summary>
    Register,
    /// <summary>A forgotten password: the same.</summary>
    Reset,
    /// <summary>A sign-in whose password was right: a one-time code or a recovery code is to come.</summary>
    SecondFactor,
    /// <summary>A passkey is being made: its authenticator has yet to answer.</summary>
    NewPasskey,
    /// <summary>A sign-in by passkey: the same.</summary>
    Passkey,
    /// <summary>A sign-in at an outside provider: the browser has yet to come back.</summary>
    Outside,
}

/// <summary>Found by the secret of a browser's cookie, from which its id is made by a key.</summary>
public sealed class StoredFlow
{
    public FlowKind Kind { get; set; }

    public DateTimeOffset Ends { get; set; }

    /// <summary>Null where nobody has the contact; nobody is told.</summary>
    public string? AccountId { get; set; }

    public ContactKind ContactKind { get; set; }

    public string? Contact { get; set; }

    /// <summary>Made from the code by a key; null where no code opens it.</summary>
    public string? Code { get; set; }

    public DateTimeOffset CodeEnds { get; set; }

    public DateTimeOffset CodeSent { get; set; }

    /// <summary>How often a code was tried, counted before it was looked at.</summary>
    public int Tries { get; set; }

    /// <summary>The code was right: what follows may be done once.</summary>
    public bool Proven { get; set; }

    /// <summary>Of the account to be.</summary>
    public string? PasswordHash { get; set; }

    /// <summary>Of a passkey: the challenge and what else was asked for.</summary>
    public string? State { get; set; }

    /// <summary>Of a sign-in: where the browser goes afterwards, already checked.</summary>
    public string? Return { get; set; }

    /// <summary>Of a sign-in at an outside provider.</summary>
    public StoredOutsideFlow? Outside { get; set; }

    /// <summary>Of a second factor: what the first one was; null for a password.</summary>
    public SessionOrigin? Origin { get; set; }
}

public sealed class FlowIndex(IndexTokens tokens)
{
    public const string RecordType = "_AccountFlow";
    private readonly IndexTokenKey _secrets = tokens.KeyFor($"{RecordType}/secret");
    private readonly IndexTokenKey _codes = tokens.KeyFor($"{RecordType}/code");

    public string IdOf(string secret) => SecretId.Of(_secrets, secret);

    /// <summary>A code alone has a million values: what is kept of it is worth nothing without the key, and nothing in another flow.</summary>
    public string CodeToken(string flowId, string code) => SecretId.Of(_codes, $"{flowId} {code}");

    public static void Add(StoredFlow flow, IndexEntries.Builder entries)
    {
        ArgumentNullException.ThrowIfNull(flow);
        EndsField.Add(entries, flow.Ends);
    }
}
