using System.Security.Cryptography;
using System.Text;
using Authorization.Accounts;
using Authorization.Server;
using FhirStore.Encryption;
using Microsoft.AspNetCore.Http;

namespace Authorization.Pages;

/// <summary>
/// Tells forms of our own pages from those that another site makes a browser send. Each form holds a token made from a secret cookie of
/// the browser and its session by a key that all processes share; and the browser says where the form came from.
/// </summary>
public sealed class FormTokens(IndexTokens tokens, PublicAddresses addresses)
{
    /// <summary>Name of the hidden field.</summary>
    public const string Field = "form_token";

    private const int Length = 16;
    private readonly IndexTokenKey _key = tokens.KeyFor("~page-forms");

    public string For(string visit, string? sessionId)
    {
        Span<byte> token = stackalloc byte[Length];
        _key.Token($"{visit} {sessionId}", token);
        return Convert.ToHexStringLower(token);
    }

    public bool IsRight(HttpRequest request, string? given, string visit, string? sessionId) =>
        IsOurOrigin(request)
        && given is { Length: Length * 2 }
        && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(given), Encoding.ASCII.GetBytes(For(visit, sessionId)));

    /// <summary>Old browsers leave both headers out: then the token alone decides.</summary>
    private bool IsOurOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin;
        if (origin.Count > 0)
        {
            return origin.Count == 1 && string.Equals(origin[0], addresses.Origin, StringComparison.OrdinalIgnoreCase);
        }
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        return site is "" or "same-origin" or "none";
    }
}
