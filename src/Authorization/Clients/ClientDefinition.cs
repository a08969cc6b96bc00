using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Authorization.Scopes;

namespace Authorization.Clients;

/// <summary>A client as it may be registered: everything checked.</summary>
public sealed record ClientDefinition
{
    internal const int LongestId = 100;
    private const int ShortestSecret = 16;
    private const int LongestSecret = 256;

    private static readonly SearchValues<char> IdCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    private ClientDefinition(string clientId, string secret, ImmutableArray<SmartScope> scopes)
    {
        ClientId = clientId;
        Secret = secret;
        Scopes = scopes;
    }

    public string ClientId { get; }

    public string Secret { get; }

    public ImmutableArray<SmartScope> Scopes { get; }

    /// <param name="wrong">Name of the setting that is wrong, and what is wrong with it; the secret is not repeated.</param>
    public static bool TryCreate(
        string clientId, string secret, string scope, [NotNullWhen(true)] out ClientDefinition? client, out (string Setting, string Problem) wrong)
    {
        client = null;
        wrong = default;
        if (clientId is not { Length: >= 1 and <= LongestId } || clientId.AsSpan().IndexOfAnyExcept(IdCharacters) >= 0)
        {
            wrong = ("ClientId", $"must have 1 to {LongestId} letters, digits, '-', '.', '_' or '~'.");
            return false;
        }
        if (secret is not { Length: >= ShortestSecret and <= LongestSecret })
        {
            wrong = ("ClientSecret", $"must have {ShortestSecret} to {LongestSecret} characters; make one with: openssl rand -base64 32");
            return false;
        }
        if (!SmartScopes.TryParseRegistration(scope, out var scopes, out var error))
        {
            wrong = ("Scope", $"is wrong: {error}");
            return false;
        }
        client = new(clientId, secret, scopes);
        return true;
    }

    // The generated text of a record would hold the secret.
    public override string ToString() => ClientId;
}
